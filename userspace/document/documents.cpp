// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/documents.h"

#include <algorithm>
#include <boost/json/stream_parser.hpp>

namespace fairlead::document {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 100;
constexpr std::string_view kBlanks = " \t\r\n";

bool looks_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

// One or more, with or without blanks between them.
Documents parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  std::vector<json::value> documents;
  std::size_t at = 0;
  do {
    json::stream_parser parser({}, options);
    boost::system::error_code code;
    at += parser.write_some(text.data() + at, text.size() - at, code);
    if (!code && !parser.done()) parser.finish(code);
    if (code) {
      TextError error = error_at(text, at, code.message());
      error.document = documents.size() + 1;
      return error;
    }
    documents.push_back(parser.release());
    at = std::min(text.find_first_not_of(kBlanks, at), text.size());
  } while (at < text.size());
  return documents;
}

}  // namespace

Documents parse_documents(std::string_view file_name, std::string_view text) {
  text = without_byte_order_mark(text);
  if (file_name.ends_with(".json")) return parse_json(text);
  if (looks_like_json(text)) {
    if (auto documents = parse_json(text)) return documents;
  }
  return parse_yaml(text);
}

}  // namespace fairlead::document
