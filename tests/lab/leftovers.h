// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

// What lbd has put on a node, by the system's own tools.
namespace fairlead::test {

inline boost::json::value bpftool(const Lab& lab, const Host& host, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{"bpftool", "-j"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto printed = lab.run_in(host, argv);
  return printed ? boost::json::parse(*printed) : boost::json::value();
}

// "eth0 xdp driver", "eth0 tc ingress", ... of the host's devices.
inline std::set<std::string> programs_on(const Lab& lab, const Host& host) {
  std::set<std::string> programs;
  const auto net = bpftool(lab, host, {"net"});
  for (const auto& xdp : net.at(0).at("xdp").as_array())
    programs.insert(boost::json::value_to<std::string>(xdp.at("devname")) + " xdp " +
                    boost::json::value_to<std::string>(xdp.at("mode")));
  for (const auto& tc : net.at(0).at("tc").as_array()) {
    const auto kind = boost::json::value_to<std::string>(tc.at("kind"));  // "clsact/ingress", "tcx/ingress"
    programs.insert(boost::json::value_to<std::string>(tc.at("devname")) + " tc " + kind.substr(kind.find('/') + 1));
  }
  return programs;
}

// The ids of all links below the node's pins. bpftool 7.5 tells of a single pinned link, and fails all the same.
inline std::set<std::int64_t> pinned_links(const Lab& lab, const Node& node) {
  const auto links = bpftool(lab, node, {"--bpffs", "link", "show"});
  std::set<std::int64_t> ids;
  for (const auto& link : links.as_array())
    if (const auto* pins = link.as_object().if_contains("pinned"))
      for (const auto& pin : pins->as_array())
        if (pin.as_string().starts_with(node.pins + "/")) ids.insert(link.at("id").to_number<std::int64_t>());
  return ids;
}

inline bool has_link(const Lab& lab, const Host& host, std::int64_t id) {
  const auto links = bpftool(lab, host, {"link", "show"});
  for (const auto& link : links.as_array())
    if (link.at("id").to_number<std::int64_t>() == id) return true;
  return false;
}

// The end of a history: lbd --cleanup, after which the system's tools see nothing of ours on the node. Returns what it
// said.
inline std::string expect_clean_end(const Lab& lab, Daemon& daemon) {
  const Node& node = daemon.node();
  if (daemon.is_running()) {
    EXPECT_EQ(daemon.stop(), 0);
  }
  const auto links = pinned_links(lab, node);
  auto process = daemon.start_another({}, {"--cleanup"});
  EXPECT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->wait(std::chrono::seconds(20)), 0);
  EXPECT_EQ(process->err(), "");
  EXPECT_EQ(programs_on(lab, node), std::set<std::string>{});
  for (const std::int64_t id : links)
    EXPECT_TRUE(eventually(std::chrono::seconds(10), [&] { return !has_link(lab, node, id); })) << id;
  EXPECT_FALSE(std::filesystem::exists(node.pins)) << process->out();
  return process->out();
}

}  // namespace fairlead::test
