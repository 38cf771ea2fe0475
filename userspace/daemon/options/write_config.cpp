// SPDX-License-Identifier: Apache-2.0
#include <boost/json/value.hpp>
#include <cerrno>
#include <fstream>

#include "userspace/daemon/options/config_file.h"
#include "userspace/document/scalar.h"
#include "userspace/document/write_yaml.h"

namespace fairlead::daemon {
namespace {

namespace json = boost::json;

json::string list_text(const Texts& texts) {
  json::string result;
  for (const std::string& text : texts)
    result.append(result.empty() ? "" : ",").append(text);
  return result;
}

json::value json_of(const Value& value) {
  const Texts texts = value.show();
  switch (value.shape) {
    case Shape::kList:
      return json::array(texts.begin(), texts.end());
    case Shape::kCommaList:
      return list_text(texts);
    case Shape::kNumber:
    case Shape::kBoolean:
      return document::resolve_plain(texts.front());
    default:
      return json::string(texts.front());
  }
}

void put(json::object& object, std::string_view path, json::value value) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    object[path] = std::move(value);
    return;
  }
  json::value& inner = object[path.substr(0, dot)];
  if (!inner.is_object()) inner.emplace_object();
  put(inner.get_object(), path.substr(dot + 1), std::move(value));
}

json::value document_of(Home home, std::string_view version, std::string_view kind,
                        const std::vector<Setting>& settings) {
  json::object document{{"apiVersion", version}, {"kind", kind}};
  for (const Setting& setting : settings)
    if (setting.field.home == home && !setting.is_alias) put(document, setting.field.path, json_of(setting.value));
  return document;
}

}  // namespace

Result<> write_config(const std::string& path, const std::vector<Setting>& settings) {
  const std::string text =
      document::write_yaml({document_of(Home::kKubeProxy, kKubeProxyVersion, kKubeProxyKind, settings),
                            document_of(Home::kFairlead, kFairleadVersion, kFairleadKind, settings)});
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return make_error("write", path, errno);
  return {};
}

}  // namespace fairlead::daemon
