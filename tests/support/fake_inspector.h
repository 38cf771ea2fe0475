// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/admin/inspector.h"

namespace fairlead::test {

// A daemon that tells what a test has put here.
struct FakeInspector : admin::Inspector {
  admin::StatusView told_status;
  std::vector<admin::ProblemView> told_problems;
  std::vector<admin::ServiceView> told_services;
  std::vector<admin::PortSummary> told_ports;
  std::vector<admin::FlowView> told_flows;
  std::vector<admin::RingView> told_rings;
  std::vector<admin::HookView> told_hooks;
  mutable admin::FlowFilter asked;  // the last filter

  admin::VersionView version() const override { return told_status.daemon; }
  admin::StatusView status() const override { return told_status; }
  std::vector<admin::ProblemView> problems() const override { return told_problems; }
  std::vector<admin::ServiceView> services() const override { return told_services; }
  std::vector<admin::PortSummary> ports() const override { return told_ports; }
  Result<admin::ServiceView> service(const std::string& space, const std::string& name) const override {
    for (const admin::ServiceView& one : told_services)
      if (one.space == space && one.name == name) return one;
    return Error{"Service " + space + "/" + name + ": not found", ENOENT};
  }
  // Those that it has, but no more than the limit: that filters choose is for others to test.
  Result<std::vector<admin::FlowView>> flows(const admin::FlowFilter& filter) const override {
    asked = filter;
    std::vector<admin::FlowView> flows = told_flows;
    if (filter.limit && flows.size() > filter.limit) flows.resize(filter.limit);
    return flows;
  }
  Result<std::vector<admin::RingView>> rings(const std::string&, const std::string&) const override {
    return told_rings;
  }
  std::vector<admin::HookView> verdicts() const override { return told_hooks; }
};

}  // namespace fairlead::test
