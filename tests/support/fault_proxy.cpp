// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fault_proxy.h"

#include <cerrno>
#include <utility>

namespace fairlead::test {
namespace {

constexpr std::chrono::seconds kPatience{20};

Traffic traffic_in(const boost::json::value& value) {
  const auto number = [&value](const char* name) { return boost::json::value_to<unsigned>(value.at(name)); };
  const auto text = [&value](const char* name) { return std::string(value.at(name).as_string()); };
  return {text("method"), text("path"), value.at("watch").as_bool(), number("total"), number("open"), number("faults")};
}

}  // namespace

Result<FaultProxy> FaultProxy::up(const ControlPlane& plane) {
  const Host& router = plane.lab().router();
  const std::string listen = router.ipv4.to_string() + ":0,[" + router.ipv6.to_string() + "]:0";
  auto dialogue = Dialogue::start({controlplane_program(), "faultproxy", "--dir", plane.dir(), "--target",
                                   plane.local(), "--netns", router.netns, "--listen", listen},
                                  kPatience);
  if (!dialogue) return dialogue.error();
  return FaultProxy(std::move(*dialogue));
}

Result<> FaultProxy::signal(int number) const {
  if (::kill(dialogue_.pid(), number) != 0) return make_error("signal", "the fault proxy", errno);
  return {};
}

Result<std::vector<Traffic>> FaultProxy::traffic() {
  const auto answer = dialogue_.ask("stats");
  if (!answer) return answer.error();
  std::vector<Traffic> result;
  for (const auto& one : answer->at("requests").as_array())
    result.push_back(traffic_in(one));
  return result;
}

Result<Traffic> FaultProxy::traffic_to(const std::string& path, bool watch) {
  const auto all = traffic();
  if (!all) return all.error();
  Traffic sum{.method = {}, .path = path, .watch = watch};
  for (const Traffic& one : *all) {
    if (one.path != path || one.watch != watch) continue;
    sum.total += one.total;
    sum.open += one.open;
    sum.faults += one.faults;
  }
  return sum;
}

}  // namespace fairlead::test
