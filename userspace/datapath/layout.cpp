// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/layout.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

namespace fairlead::datapath {
namespace {

// Larger than any map's; a damaged text must not make anybody allocate more.
constexpr std::uint32_t kLargest = 1u << 24;

std::string type_of(const Field& field) {
  return (field.network_order ? "be" : "u") + std::to_string(field.size * 8);
}

void print(std::ostream& out, const char* name, const Record& record) {
  out << name << " " << record.size << "\n";
  for (const Field& field : record.fields) {
    out << field.path << " " << field.offset << " " << type_of(field);
    if (field.count != 1) out << " x" << field.count;
    out << "\n";
  }
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

bool read_type(const std::string& text, Field& field) {
  field.network_order = text.starts_with("be");
  for (const std::uint32_t size : {1u, 2u, 4u, 8u}) {
    field.size = size;
    if (text == type_of(field)) return true;
  }
  return false;
}

std::optional<Field> read_field(const std::vector<std::string>& words, const Record& record) {
  if (words.size() != 3 && words.size() != 4) return std::nullopt;
  const auto offset = number(words[1]);
  const std::string times = words.size() == 4 ? words[3] : "x1";
  const auto count = times.starts_with("x") ? number(std::string_view(times).substr(1)) : std::nullopt;
  if (!offset || !count || !*count) return std::nullopt;
  Field field;
  field.path = words[0];
  field.offset = *offset;
  field.count = *count;
  if (!read_type(words[2], field)) return std::nullopt;
  const std::uint64_t end = field.offset + std::uint64_t{field.size} * field.count;
  if (end > record.size || record.find(field.path)) return std::nullopt;
  return field;
}

bool read_head(const std::vector<std::string>& words, Layout& layout) {
  if (words.size() != 6 || words[0] != "map" || words[2] != "flags" || words[4] != "entries") return false;
  const auto flags = number(words[3]), entries = number(words[5]);
  if (!flags || !entries) return false;
  layout.type = words[1];
  layout.flags = *flags;
  layout.entries = *entries;
  return true;
}

// Lines are for the last record that was opened; "key" opens the first, "value" the second.
class Reader {
 public:
  explicit Reader(Layout& layout) : layout_(layout) {}

  bool take(const std::string& line) {
    const auto words = words_of(line);
    if (!headed_) return headed_ = read_head(words, layout_);
    if (words.size() == 2) return open(words);
    if (!record_) return false;
    const auto field = read_field(words, *record_);
    if (field) record_->fields.push_back(*field);
    return field.has_value();
  }

  bool is_complete() const { return record_ == &layout_.value; }

 private:
  bool open(const std::vector<std::string>& words) {
    Record* next = record_ ? &layout_.value : &layout_.key;
    const auto size = number(words[1]);
    if (record_ == next || words[0] != (record_ ? "value" : "key") || !size || !*size || *size > kLargest) return false;
    record_ = next;
    record_->size = *size;
    return true;
  }

  Layout& layout_;
  Record* record_ = nullptr;
  bool headed_ = false;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

}  // namespace

const Field* Record::find(const std::string& path) const {
  const auto it = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.path == path; });
  return it == fields.end() ? nullptr : &*it;
}

std::string to_text(const Layout& layout) {
  std::ostringstream out;
  out << "map " << layout.type << " flags " << layout.flags << " entries " << layout.entries << "\n";
  print(out, "key", layout.key);
  print(out, "value", layout.value);
  return out.str();
}

Result<Layout> parse_layout(const std::string& text) {
  Layout layout;
  Reader reader(layout);
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (!reader.take(lines[i]))
      return Error{"line " + std::to_string(i + 1) + " says nothing about a layout: " + lines[i].substr(0, 80), EINVAL};
  if (!reader.is_complete()) return Error{"it ends after " + std::to_string(lines.size()) + " lines", EINVAL};
  return layout;
}

std::string first_difference(const Layout& ours, const Layout& theirs) {
  const auto our_lines = lines_of(to_text(ours)), their_lines = lines_of(to_text(theirs));
  const auto [mine, other] = std::mismatch(our_lines.begin(), our_lines.end(), their_lines.begin(), their_lines.end());
  const std::string has = other == their_lines.end() ? "ends" : "has \"" + *other + "\"";
  return has + " where this lbd " + (mine == our_lines.end() ? "ends" : "has \"" + *mine + "\"");
}

}  // namespace fairlead::datapath
