// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "userspace/document/scalar.h"
#include "userspace/util/utf8.h"

namespace fairlead::document {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 100;
// What aliases and merges may add to a text, in about bytes of memory; a text without them is bounded by its own size.
constexpr std::size_t kMaxCopied = 32 << 20;

struct Extent {
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

Extent extent_of(const json::value& value) {
  Extent extent{sizeof(json::value), 1};
  const auto add = [&](const json::value& part) {
    const Extent inner = extent_of(part);
    extent.bytes += inner.bytes;
    extent.depth = std::max(extent.depth, inner.depth + 1);
  };
  if (const auto* text = value.if_string()) extent.bytes += text->size();
  if (const auto* array = value.if_array()) std::for_each(array->begin(), array->end(), add);
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      extent.bytes += sizeof(json::key_value_pair) + key.size();
      add(member);
    }
  }
  return extent;
}

// Numbers in the form that Kubernetes gives them as keys; JSON's own would be 1.5E0.
std::string key_text(const json::value& scalar) {
  if (const auto* text = scalar.if_string()) return std::string(*text);
  if (!scalar.is_double()) return json::serialize(scalar);
  std::array<char, 32> buffer;
  const auto number = static_cast<float>(scalar.get_double());
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

// Turns the parser's events into JSON. Complains by throwing what the parser throws, which is how a handler can stop
// it.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  std::vector<json::value> take() { return std::move(documents_); }
  std::size_t finished() const { return documents_.size(); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override { documents_.push_back(std::move(root_)); }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, json::array(), false);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, anchor, json::object(), style == YAML::EmitterStyle::Block);
  }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or map whose end is still to come.
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor;
    bool block;  // a map with a line for each key
    json::value value;
    std::optional<std::string> key;  // of the map's next member, once it is known
    YAML::Mark key_mark;
    bool merging = false;  // that key is <<
    std::vector<json::object> merged;
  };

  [[noreturn]] static void fail(const YAML::Mark& mark, const std::string& message) {
    throw YAML::ParserException(mark, message);
  }
  bool wants_key() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().key; }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, json::value empty, bool block);
  void close();
  void put(const YAML::Mark& mark, YAML::anchor_t anchor, json::value value);
  bool has_colon(const YAML::Mark& key) const;
  void put_key(const YAML::Mark& mark, const json::value& value);
  void merge(const YAML::Mark& mark, json::value value);
  void charge(const YAML::Mark& mark, const json::value& value);

  std::string_view text_;
  std::vector<json::value> documents_;
  json::value root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, json::value> anchors_;
  std::size_t copied_ = 0;
};

// The parser ends a document where its first value ends, and takes what follows for the next one.
void Builder::OnDocumentStart(const YAML::Mark& mark) {
  const auto at = static_cast<std::size_t>(mark.pos);
  if (!documents_.empty() && text_.substr(std::min(at, text_.size()), 3) != "---")
    fail(mark, "expected the end of the document or '---'");
  root_ = nullptr;
  anchors_.clear();
}

// The parser takes a document's last word for a key with nothing behind it, though there is no colon either: a text
// that was cut off in the middle of a key.
void Builder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const bool is_value = !open_.empty() && open_.back().block && open_.back().key;
  if (is_value && !has_colon(open_.back().key_mark)) fail(open_.back().key_mark, "expected ':' after the key");
  put(mark, anchor, nullptr);
}

// Whether a key is followed by a colon on its line, or is one that needs none ("? key").
bool Builder::has_colon(const YAML::Mark& key) const {
  const auto at = std::min(static_cast<std::size_t>(key.pos), text_.size());
  const std::size_t before = text_.substr(0, at).find_last_not_of(' ');
  if (before != std::string_view::npos && text_[before] == '?') return true;
  const std::string_view line = text_.substr(at, text_.find('\n', at) - at);
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos; colon = line.find(':', colon + 1))
    if (colon + 1 == line.size() || std::isspace(static_cast<unsigned char>(line[colon + 1]))) return true;
  return false;
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) fail(mark, "the alias stands inside of what it refers to");
  charge(mark, found->second);
  put(mark, 0, found->second);
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) {
  if (!is_utf8(text)) fail(mark, "an escape stands for no character");
  const bool plain = tag == "?";
  if (plain && text == "<<" && wants_key()) {
    open_.back().key = text;
    open_.back().key_mark = mark;
    open_.back().merging = true;
    return;
  }
  const bool resolves = plain || tag == "tag:yaml.org,2002:int" || tag == "tag:yaml.org,2002:float" ||
                        tag == "tag:yaml.org,2002:bool" || tag == "tag:yaml.org,2002:null";
  json::value value = resolves ? resolve_plain(text) : json::value(text);
  if (value.is_double() && !std::isfinite(value.get_double())) fail(mark, "JSON has no such number: " + text);
  put(mark, anchor, std::move(value));
}

void Builder::open(const YAML::Mark& mark, YAML::anchor_t anchor, json::value empty, bool block) {
  if (wants_key()) fail(mark, "a map's key must be a scalar");
  if (open_.size() >= kMaxDepth) fail(mark, "nested too deeply");
  open_.push_back({mark, anchor, block, std::move(empty), std::nullopt, {}, false, {}});
}

void Builder::close() {
  Open closed = std::move(open_.back());
  open_.pop_back();
  // What the map itself says comes before what is merged into it, and earlier merges before later ones; emplace keeps
  // what is there.
  for (json::object& merged : closed.merged)
    for (auto& [key, value] : merged)
      closed.value.get_object().emplace(key, std::move(value));
  put(closed.mark, closed.anchor, std::move(closed.value));
}

void Builder::put(const YAML::Mark& mark, YAML::anchor_t anchor, json::value value) {
  if (anchor != 0) {
    charge(mark, value);
    anchors_[anchor] = value;
  }
  if (open_.empty()) {
    root_ = std::move(value);
  } else if (auto* array = open_.back().value.if_array()) {
    array->push_back(std::move(value));
  } else if (open_.back().merging) {
    merge(mark, std::move(value));
  } else if (const auto key = std::exchange(open_.back().key, std::nullopt)) {
    open_.back().value.get_object().emplace(*key, std::move(value));
  } else {
    put_key(mark, value);
  }
}

void Builder::put_key(const YAML::Mark& mark, const json::value& value) {
  if (value.is_null() || value.is_structured()) fail(mark, "a map's key must be a string, number or boolean");
  std::string key = key_text(value);
  if (open_.back().value.get_object().contains(key))
    fail(mark, "the key '" + shortened(key) + "' stands twice in the map");
  open_.back().key = std::move(key);
  open_.back().key_mark = mark;
}

void Builder::merge(const YAML::Mark& mark, json::value value) {
  Open& map = open_.back();
  map.key.reset();
  map.merging = false;
  if (value.is_object()) value = json::array{std::move(value)};
  if (!value.is_array()) fail(mark, "only maps can be merged");
  for (json::value& part : value.get_array()) {
    if (!part.is_object()) fail(mark, "only maps can be merged");
    map.merged.push_back(std::move(part.get_object()));
  }
}

// Before a copy is made: that there is room for it.
void Builder::charge(const YAML::Mark& mark, const json::value& value) {
  const Extent extent = extent_of(value);
  copied_ += extent.bytes;
  if (copied_ > kMaxCopied) fail(mark, "anchors and aliases make this text too large");
  if (open_.size() + extent.depth > kMaxDepth) fail(mark, "nested too deeply");
}

TextError explain(const YAML::Exception& error, std::size_t document, std::string_view text) {
  TextError result;
  result.document = document;
  result.line = static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1;
  result.column = static_cast<std::size_t>(std::max(error.mark.column, 0)) + 1;
  const bool at_end = error.mark.pos >= 0 && static_cast<std::size_t>(error.mark.pos) >= text.size();
  result.message = at_end ? "the text ends too early: " + error.msg : error.msg;
  // Some quote a single byte of the text, which need not be a character.
  const auto is_part = [](char byte) { return (static_cast<unsigned char>(byte) & 0x80) != 0; };
  std::replace_if(result.message.begin(), result.message.end(), is_part, '?');
  return result;
}

// Where a text just ends, the parser takes an open quoted string for closed. A line's end and a document's end there
// are an error inside of a string and change nothing else, so that a text that is cut off is told.
std::string with_end(std::string_view text) {
  return std::string(text) + (text.ends_with('\n') ? "...\n" : "\n...\n");
}

}  // namespace

Documents parse_yaml(std::string_view text) {
  if (auto error = find_non_text(text)) return *std::move(error);
  std::istringstream input(with_end(text));
  Builder builder(text);
  try {
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const YAML::Exception& error) {
    return explain(error, builder.finished() + 1, text);
  } catch (const std::exception& error) {
    return TextError{builder.finished() + 1, 1, 1, error.what()};
  }
}

}  // namespace fairlead::document
