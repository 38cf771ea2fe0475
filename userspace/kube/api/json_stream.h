// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "userspace/util/result.h"

// Answers of an API server, taken apart while they arrive: what is held at a time is one object, not the list.
namespace fairlead::kube {

// The server stores nothing larger than a few MiB; what is longer is not an object.
constexpr std::size_t kLongestObject = 32 << 20;

// Is given one object, which is gone after the call.
using OnObject = std::function<void(const boost::json::value&)>;

// A list: {"metadata":{...},"items":[...]}. metadata.managedFields of the items, often half of their text, is left out.
class ListStream {
 public:
  explicit ListStream(OnObject on_item);
  ~ListStream();

  Result<> feed(std::string_view text);
  // At the text's end; fails when it was no list, or not all of it.
  Result<> finish();

  // After finish().
  const std::string& resource_version() const { return resource_version_; }
  // For the next part of the list; empty when this was the last.
  const std::string& continue_token() const { return continue_; }

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
  std::string resource_version_;
  std::string continue_;
};

// A watch: one JSON value after the other, each {"type":"ADDED","object":{...}}.
class WatchStream {
 public:
  explicit WatchStream(OnObject on_event);

  // After an error the rest of the stream has no meaning.
  Result<> feed(std::string_view text);
  // Whether the text so far ends in the middle of an event.
  bool in_the_middle() const { return bytes_ > 0; }

 private:
  OnObject on_event_;
  boost::json::stream_parser parser_;
  std::size_t bytes_ = 0;  // of the event that is being read
};

}  // namespace fairlead::kube
