// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/config_file.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <cerrno>
#include <fstream>
#include <map>
#include <sstream>

#include "userspace/daemon/kube_proxy_only.h"
#include "userspace/source/documents.h"
#include "userspace/source/reader.h"
#include "userspace/util/duration.h"

namespace fairlead::daemon {
namespace {

namespace json = boost::json;
using source::Reader;

// The keys that lead to a field. Keys may have dots.
using Path = std::vector<std::string>;

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
      return split(reader.text());
    case Shape::kList:
      return reader.items<std::string>(source::BadItem::kBreaksObject,
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

// Remarks of one sort about one document.
class Complaints {
 public:
  Complaints(const json::value& document, std::string where, std::string object, std::vector<std::string>& into)
      : document_(&document), findings_{problems_, std::move(where), std::move(object)}, into_(into) {}
  ~Complaints() {
    for (const model::Problem& problem : problems_)
      into_.push_back(problem.to_string());
  }
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;

  Reader at(const Path& path) {
    Reader reader(*document_, findings_);
    for (const std::string& key : path)
      reader = reader[key];
    return reader;
  }
  std::size_t count() const { return problems_.size(); }

 private:
  const json::value* document_;
  std::vector<model::Problem> problems_;
  source::Findings findings_;
  std::vector<std::string>& into_;
};

// One document of a known kind, with the settings that it is for.
class Document {
 public:
  Document(const json::value& document, const std::string& where, Home home, std::vector<Setting>& settings,
           Remarks& remarks)
      : document_(document),
        home_(home),
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
      read_setting(*setting, path);
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
    const auto& all = kube_proxy_only();
    return std::any_of(all.begin(), all.end(), [&](const KubeProxyOnly& only) { return is_below(only.field, path); });
  }

  const json::value& document_;
  Home home_;
  std::vector<Setting>& settings_;
  Complaints errors_, warnings_, notes_;
};

struct Placed {
  const json::value* document = nullptr;
  std::string where;
};
using ByHome = std::map<Home, Placed>;

std::optional<Home> home_of(const json::value& document, Complaints& errors) {
  static const Reader::Names<Home> kKinds{{kKubeProxyKind, Home::kKubeProxy}, {kFairleadKind, Home::kFairlead}};
  if (!document.is_object()) {
    errors.at({}).complain("must be an object");
    return std::nullopt;
  }
  const Home home = errors.at({"kind"}).required().choice(kKinds, Home::kNone);
  return home == Home::kNone ? std::nullopt : std::optional(home);
}

ByHome sort(const std::vector<json::value>& documents, const std::string& path, Remarks& remarks) {
  ByHome result;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (documents[i].is_null()) continue;
    const std::string where = path + ", document " + std::to_string(i + 1);
    Complaints errors(documents[i], where, "", remarks.errors);
    const auto home = home_of(documents[i], errors);
    if (!home) continue;
    const auto [there, is_new] = result.emplace(*home, Placed{&documents[i], where});
    if (!is_new) errors.at({"kind"}).complain("stands twice, first in " + there->second.where);
  }
  return result;
}

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  // An empty file leaves no text to write, which is no error of the file's.
  if (!file || file.bad() || (text.fail() && errno != 0)) return make_error("read", path, errno);
  return text.str();
}

}  // namespace

void read_config(const std::string& path, std::vector<Setting>& settings, Remarks& remarks) {
  const auto text = read_file(path);
  if (!text) return remarks.errors.push_back(text.error().message);
  const auto documents = source::parse_documents(path, *text);
  if (!documents)
    return remarks.errors.push_back(path + ", " + documents.error().place() + ": " + documents.error().message);
  const std::size_t errors_before = remarks.errors.size();
  const ByHome found = sort(*documents, path, remarks);
  if (found.empty() && remarks.errors.size() == errors_before)
    remarks.errors.push_back(path + ": has neither a " + std::string(kKubeProxyKind) + " nor a " +
                             std::string(kFairleadKind));
  for (const auto& [home, placed] : found)
    Document(*placed.document, placed.where, home, settings, remarks).read();
  if (find_field(settings, Home::kKubeProxy, "clusterCIDR")->given &&
      find_field(settings, Home::kKubeProxy, "detectLocal.clusterCIDRs")->given)
    remarks.errors.push_back(path + ": clusterCIDR and detectLocal.clusterCIDRs: are both there; one has to go");
}

}  // namespace fairlead::daemon
