// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/documents.h"

#include <boost/json/stream_parser.hpp>

namespace fairlead::document {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 100;

bool looks_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

Documents parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t read = parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) return error_at(text, read, error.message());
  std::vector<json::value> documents;
  documents.push_back(parser.release());
  return documents;
}

}  // namespace

Documents parse_documents(std::string_view file_name, std::string_view text) {
  text = without_byte_order_mark(text);
  return file_name.ends_with(".json") || looks_like_json(text) ? parse_json(text) : parse_yaml(text);
}

}  // namespace fairlead::document
