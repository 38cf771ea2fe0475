// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/change_text.h"

#include <map>

#include "userspace/daemon/inspection/backends.h"
#include "userspace/state/abi.h"

namespace fairlead::daemon {
namespace {

// What a service port has, and the state of each.
std::map<std::string, std::string> parts_of(const state::PortSpec& spec) {
  std::map<std::string, std::string> parts;
  for (const state::FrontendSpec& frontend : spec.frontends)
    parts["frontend " + state::describe(frontend.key)] = "";
  for (std::uint32_t i = 0; i < spec.backends.size(); ++i)
    parts["backend " + state::describe(spec.backends[i].endpoint)] =
        std::string(" ") + admin::to_string(state_of(spec, i));
  return parts;
}

}  // namespace

std::string counted(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string change_text(const state::PortSpec& before, const state::PortSpec& now) {
  const auto had = parts_of(before), has = parts_of(now);
  std::string text;
  const auto say = [&](const char* sign, const std::string& part, const std::string& state) {
    if (!text.empty()) text += ", ";
    text += sign;
    text += part;
    text += state;
  };
  for (const auto& [part, state] : has)
    if (const auto it = had.find(part); it == had.end())
      say("+", part, state);
    else if (it->second != state)
      say("", part, state);
  for (const auto& [part, state] : had)
    if (!has.contains(part)) say("-", part, "");
  return text;
}

}  // namespace fairlead::daemon
