// SPDX-License-Identifier: Apache-2.0
#include "userspace/admin/view.h"

namespace fairlead::admin {
namespace {

struct Described {
  std::string name;
  std::string type;
  std::vector<ServicePortView> ports;
  std::vector<ProblemView> problems;
  std::string note;
};
BOOST_DESCRIBE_STRUCT(Described, (), (name, type, ports, problems, note))

}  // namespace

void tag_invoke(boost::json::value_from_tag, boost::json::value& json, const ServiceView& service) {
  json = {{"namespace", service.space},
          {"name", service.name},
          {"type", service.type},
          {"ports", boost::json::value_from(service.ports)},
          {"problems", boost::json::value_from(service.problems)},
          {"note", service.note}};
}

boost::json::result<ServiceView> tag_invoke(boost::json::try_value_to_tag<ServiceView>,
                                            const boost::json::value& json) {
  if (!json.is_object()) return make_error_code(boost::json::error::not_object);
  boost::json::object members = json.as_object();
  const auto space = members.find("namespace");
  if (space == members.end() || !space->value().is_string()) return make_error_code(boost::json::error::not_string);
  const std::string name(space->value().as_string());
  members.erase(space);
  auto rest = boost::json::try_value_to<Described>(boost::json::value(std::move(members)));
  if (!rest) return rest.error();
  return ServiceView{name,
                     std::move(rest->name),
                     std::move(rest->type),
                     std::move(rest->ports),
                     std::move(rest->problems),
                     std::move(rest->note)};
}

}  // namespace fairlead::admin
