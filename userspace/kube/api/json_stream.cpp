// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/json_stream.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value_stack.hpp>
#include <optional>
#include <vector>

#include "userspace/kube/api/json_text.h"

namespace fairlead::kube {
namespace {

namespace json = boost::json;

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kOrdinaryItem = 32 << 10;

json::parse_options options() {
  json::parse_options options;
  options.max_depth = kDeepest;
  return options;
}

Error not_json(const boost::system::error_code& error) {
  return {"not JSON: " + error.message(), 0};
}

// Called by the parser for each token; builds a value of each item and of the list's metadata, and passes over the
// rest. Depth is the number of open containers: the list is at 1, its items' array at 2, an item at 3.
class Handler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  using Code = boost::system::error_code;
  using Text = json::string_view;

  explicit Handler(OnObject on_item) : on_item_(std::move(on_item)) {}

  const json::value& metadata() const { return metadata_; }
  std::size_t items() const { return items_; }
  bool between_items() const { return depth_ <= 2; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  bool on_object_begin(Code&) {
    ++depth_;
    if (depth_ == 3 && in_items_) begin();
    if (depth_ == 2 && field_ == "metadata") begin();
    return true;
  }
  bool on_object_end(std::size_t size, Code&) {
    if (building()) {
      // The parser has counted what was left out.
      stack_.push_object(size - (depth_ == 4 ? std::exchange(left_out_, 0) : 0));
    }
    --depth_;
    after_value();
    return true;
  }
  bool on_array_begin(Code& error) {
    ++depth_;
    if (depth_ == 2 && field_ == "items") in_items_ = true;
    if (depth_ == 3 && in_items_) error = json::error::not_object;
    return !error;
  }
  bool on_array_end(std::size_t size, Code&) {
    if (building()) stack_.push_array(size);
    if (--depth_ == 1) in_items_ = false;
    after_value();
    return true;
  }

  bool on_key_part(Text part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    if (depth_ == 1) field_ = key_;
    if (depth_ == 3) member_ = key_;
    if (building() && depth_ == 4 && in_items_ && member_ == "metadata" && key_ == "managedFields") {
      ++left_out_;
      silent_at_ = depth_;
    } else if (building()) {
      stack_.push_key(key_);
    }
    key_.clear();
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code&) {
    if (building()) stack_.push_chars(part);
    return true;
  }
  bool on_string(Text part, std::size_t, Code& error) {
    return scalar(error, [&] { stack_.push_string(part); });
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t value, Text, Code& error) {
    return scalar(error, [&] { stack_.push_int64(value); });
  }
  bool on_uint64(std::uint64_t value, Text, Code& error) {
    return scalar(error, [&] { stack_.push_uint64(value); });
  }
  bool on_double(double value, Text, Code& error) {
    return scalar(error, [&] { stack_.push_double(value); });
  }
  bool on_bool(bool value, Code& error) {
    return scalar(error, [&] { stack_.push_bool(value); });
  }
  bool on_null(Code& error) {
    return scalar(error, [&] { stack_.push_null(); });
  }

 private:
  bool building() const { return building_ && silent_at_ == 0; }

  void begin() {
    // A new one, because the blocks of one that is released and used again double each time.
    if (in_items_) memory_.emplace(buffer_.data(), buffer_.size());
    stack_.reset(in_items_ ? json::storage_ptr(&*memory_) : json::storage_ptr());
    building_ = true;
  }

  template <class Push>
  bool scalar(Code& error, Push push) {
    if (depth_ == 2 && in_items_) {
      error = json::error::not_object;
      return false;
    }
    if (building()) push();
    after_value();
    return true;
  }

  void after_value() {
    if (silent_at_ == depth_) silent_at_ = 0;
    if (!building_) return;
    if (in_items_ && depth_ == 2) {
      building_ = false;
      deliver();
    } else if (!in_items_ && depth_ == 1) {
      building_ = false;
      metadata_ = stack_.release();
    }
  }

  void deliver() {
    ++items_;
    const json::value item = stack_.release();
    on_item_(item);
  }

  OnObject on_item_;
  std::vector<unsigned char> buffer_ = std::vector<unsigned char>(kOrdinaryItem);
  std::optional<json::monotonic_resource> memory_;  // of the item that is being built
  json::value_stack stack_;
  json::value metadata_;
  std::string key_;     // as far as it has come
  std::string field_;   // of the list
  std::string member_;  // of the item
  std::size_t depth_ = 0;
  std::size_t silent_at_ = 0;  // the depth of the member whose value is passed over; 0: none
  std::size_t items_ = 0;
  std::size_t left_out_ = 0;  // members of the item's metadata
  bool building_ = false;
  bool in_items_ = false;
};

}  // namespace

class ListStream::Parser {
 public:
  explicit Parser(OnObject on_item) : parser_(options(), std::move(on_item)) {}

  Result<> feed(std::string_view text) {
    boost::system::error_code error;
    const std::size_t items = handler().items();
    const std::size_t read = parser_.write_some(true, text.data(), text.size(), error);
    if (error) return Error{not_json(error).message + " behind " + std::to_string(handler().items()) + " items", 0};
    if (read < text.size() && text.find_first_not_of(" \t\r\n", read) != text.npos)
      return Error{"not JSON: more behind the list", 0};
    bytes_ = handler().items() == items && !handler().between_items() ? bytes_ + text.size() : 0;
    if (bytes_ > kLongestObject)
      return Error{"an object is longer than " + std::to_string(kLongestObject) + " bytes", 0};
    return {};
  }

  Result<> finish() {
    boost::system::error_code error;
    if (!parser_.done()) parser_.write_some(false, "", 0, error);
    if (error) return Error{not_json(error).message + " behind " + std::to_string(handler().items()) + " items", 0};
    return {};
  }

  const Handler& handler() const { return parser_.handler(); }

 private:
  json::basic_parser<Handler> parser_;
  std::size_t bytes_ = 0;  // of the item that is being read, at most
};

ListStream::ListStream(OnObject on_item) : parser_(std::make_unique<Parser>(std::move(on_item))) {
}

ListStream::~ListStream() = default;

Result<> ListStream::feed(std::string_view text) {
  return parser_->feed(text);
}

Result<> ListStream::finish() {
  if (auto finished = parser_->finish(); !finished) return finished;
  const Handler& handler = parser_->handler();
  resource_version_ = text_at(handler.metadata(), "/resourceVersion");
  continue_ = text_at(handler.metadata(), "/continue");
  if (resource_version_.empty()) return Error{"not a list: metadata.resourceVersion is missing", 0};
  return {};
}

WatchStream::WatchStream(OnObject on_event) : on_event_(std::move(on_event)), parser_({}, options()) {
}

Result<> WatchStream::feed(std::string_view text) {
  while (true) {
    if (bytes_ == 0) text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) return {};
    if (bytes_ == 0) parser_.reset();
    boost::system::error_code error;
    const std::size_t read = parser_.write_some(text.data(), text.size(), error);
    if (error) return not_json(error);
    bytes_ += read;
    text.remove_prefix(read);
    if (bytes_ > kLongestObject)
      return Error{"an event is longer than " + std::to_string(kLongestObject) + " bytes", 0};
    if (!parser_.done()) return {};
    bytes_ = 0;
    on_event_(parser_.release());
  }
}

}  // namespace fairlead::kube
