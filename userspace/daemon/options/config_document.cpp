// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/config_document.h"

#include <algorithm>

#include "userspace/daemon/options/kube_proxy_only.h"
#include "userspace/util/duration.h"

namespace fairlead::daemon {
namespace {

namespace json = boost::json;
using document::Reader;

std::string joined(const Path& path) {
  std::string text;
  for (const std::string& key : path)
    text += (text.empty() ? "" : ".") + key;
  return text;
}

bool is_below(std::string_view path, std::string_view other) {
  return path.size() > other.size() && path.starts_with(other) && path[other.size()] == '.';
}

std::string read_duration(const Reader& reader) {
  const std::string text = reader.text();
  if (!text.empty() && !parse_duration(text)) reader.complain("must be a duration such as 1h30m");
  return text;
}

Texts read_texts(const Reader& reader, Shape shape) {
  switch (shape) {
    case Shape::kText:
      return {reader.text()};
    case Shape::kNumber:
      return {number_text(reader.real())};
    case Shape::kBoolean:
      return {reader.boolean(false) ? "true" : "false"};
    case Shape::kDuration:
      return {read_duration(reader)};
    case Shape::kCommaList:
      return list_items(reader.text());
    case Shape::kList:
      return reader.items<std::string>(document::BadItem::kBreaksObject,
                                       [](const Reader& item) { return std::optional(item.text()); });
    case Shape::kAny:
      break;
  }
  return {};
}

// Says nothing, whatever it is for.
bool is_nothing(const json::value& value) {
  if (const auto* text = value.if_string()) return is_empty({std::string(*text)}) || is_zero({std::string(*text)});
  if (const auto* array = value.if_array()) return array->empty();
  if (const auto* object = value.if_object())
    return std::all_of(object->begin(), object->end(), [](const auto& member) { return is_nothing(member.value()); });
  if (const bool* boolean = value.if_bool()) return !*boolean;
  return value.is_null() || value.to_number<double>() == 0.0;
}

// One document of a known kind, with the settings that it is for.
class Document {
 public:
  Document(const json::value& document, const std::string& where, Home home, Fields fields,
           std::vector<Setting>& settings, Remarks& remarks)
      : document_(document),
        home_(home),
        fields_(fields),
        settings_(settings),
        errors_(document, where, kind(), remarks.errors),
        warnings_(document, {}, kind(), remarks.warnings),
        notes_(document, {}, kind(), remarks.notes) {}

  void read() {
    check_version();
    for (const auto& [key, value] : document_.get_object())
      if (key != "apiVersion" && key != "kind") read({std::string(key)}, value);
  }

 private:
  std::string kind() const { return std::string(home_ == Home::kKubeProxy ? kKubeProxyKind : kFairleadKind); }

  void check_version() {
    const std::string_view wanted = home_ == Home::kKubeProxy ? kKubeProxyVersion : kFairleadVersion;
    const Reader version = errors_.at({"apiVersion"}).required();
    if (!version.empty() && version.text() != wanted) version.complain("must be " + std::string(wanted));
  }

  void read(const Path& path, const json::value& value) {
    const std::string name = joined(path);
    if (Setting* setting = find_field(settings_, home_, name)) {
      if (fields_ == Fields::kAll || setting->for_cleanup) read_setting(*setting, path);
    } else if (fields_ == Fields::kForCleanup) {
      return;
    } else if (const KubeProxyOnly* only = find_only(name)) {
      remark_on(*only, path, value);
    } else if (has_fields_below(name)) {
      read_members(path, value);
    } else {
      say_unknown(path, value);
    }
  }

  void read_setting(Setting& setting, const Path& path) {
    const Reader reader = errors_.at(path);
    const std::size_t before = errors_.count();
    if (reader.absent()) return;
    const Texts texts = read_texts(reader, setting.value.shape);
    if (errors_.count() != before) return;
    if (const std::string wrong = setting.set_from_document(texts); !wrong.empty()) reader.complain(wrong);
  }

  void remark_on(const KubeProxyOnly& only, const Path& path, const json::value& value) {
    if (only.shape == Shape::kAny && value.is_object()) return read_members(path, value);
    const Texts texts = read_texts(errors_.at(path), only.shape);
    if (is_nothing(value)) return;
    const bool is_said = only.shape == Shape::kAny ? only.use != KubeProxyOnly::Use::kAsItIs : only.is_unusual(texts);
    if (is_said) (only.use == KubeProxyOnly::Use::kNotYet ? warnings_ : notes_).at(path).complain(only.remark());
  }

  void read_members(const Path& path, const json::value& value) {
    if (value.is_null()) return;
    const json::object* object = value.if_object();
    if (!object) return errors_.at(path).complain("must be an object");
    for (const auto& [key, member] : *object) {
      Path below = path;
      below.emplace_back(key);
      read(below, member);
    }
  }

  void say_unknown(const Path& path, const json::value& value) {
    if (home_ == Home::kFairlead)
      errors_.at(path).complain("there is no such field");
    else if (!is_nothing(value))
      warnings_.at(path).complain("is not known here and changes nothing");
  }

  // The field itself, or one that has this one below it.
  const KubeProxyOnly* find_only(std::string_view path) const {
    if (home_ != Home::kKubeProxy) return nullptr;
    for (const KubeProxyOnly& only : kube_proxy_only())
      if (!only.field.empty() && (path == only.field || (only.shape == Shape::kAny && is_below(path, only.field))))
        return &only;
    return nullptr;
  }

  bool has_fields_below(std::string_view path) const {
    for (const Setting& setting : settings_)
      if (setting.field.home == home_ && is_below(setting.field.path, path)) return true;
    if (home_ != Home::kKubeProxy) return false;
    const auto all = kube_proxy_only();
    return std::any_of(all.begin(), all.end(), [&](const KubeProxyOnly& only) { return is_below(only.field, path); });
  }

  const json::value& document_;
  Home home_;
  Fields fields_;
  std::vector<Setting>& settings_;
  Complaints errors_, warnings_, notes_;
};

}  // namespace

void read_document(const json::value& document, const std::string& where, Home home, Fields fields,
                   std::vector<Setting>& settings, Remarks& remarks) {
  Document(document, where, home, fields, settings, remarks).read();
}

}  // namespace fairlead::daemon
