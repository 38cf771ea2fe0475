// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/config_file.h"

#include <boost/json/value.hpp>
#include <map>

#include "userspace/daemon/options/config_document.h"
#include "userspace/document/documents.h"
#include "userspace/document/text_file.h"

namespace fairlead::daemon {
namespace {

namespace json = boost::json;
using document::Reader;

constexpr std::size_t kMaxBytes = 1 << 20;  // more than a ConfigMap holds

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

void read_documents(const std::string& path, std::string_view text, Fields fields, std::vector<Setting>& settings,
                    Remarks& remarks) {
  const auto documents = document::parse_documents(path, text);
  if (!documents)
    return remarks.errors.push_back(path + ", " + documents.error().place() + ": " + documents.error().message);
  const std::size_t errors_before = remarks.errors.size();
  const ByHome found = sort(*documents, path, remarks);
  if (found.empty() && remarks.errors.size() == errors_before)
    remarks.errors.push_back(path + ": has neither a " + std::string(kKubeProxyKind) + " nor a " +
                             std::string(kFairleadKind));
  for (const auto& [home, placed] : found)
    read_document(*placed.document, placed.where, home, fields, settings, remarks);
  if (find_field(settings, Home::kKubeProxy, "clusterCIDR")->given &&
      find_field(settings, Home::kKubeProxy, "detectLocal.clusterCIDRs")->given)
    remarks.errors.push_back(path + ": clusterCIDR and detectLocal.clusterCIDRs: are both there; one has to go");
}

}  // namespace

Result<> read_config(const std::string& path, Fields fields, std::vector<Setting>& settings, Remarks& remarks) {
  const auto file = document::TextFile::read(path, kMaxBytes);
  if (!file) return Error{path + ": " + file.error().message, file.error().code};
  read_documents(path, file->text, fields, settings, remarks);
  return {};
}

}  // namespace fairlead::daemon
