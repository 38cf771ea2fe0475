// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/admin/words.h"

// What lbd tells about itself: the shapes of the control API's JSON, the same for the daemon that writes them and lbctl
// that reads them. Field names are the JSON's keys. Addresses are text, ports host order, times seconds.

namespace fairlead::admin {

struct DeviceView {
  std::string name;
  std::int64_t ifindex = 0;
  std::string xdp;  // "native", "generic" or "off"
  std::vector<std::string> addresses;
  std::string note;  // why it is not what one might expect
};
BOOST_DESCRIBE_STRUCT(DeviceView, (), (name, ifindex, xdp, addresses, note))

// How full something is.
struct UsageView {
  std::string name;
  std::int64_t used = 0;  // -1: not counted yet
  std::uint64_t limit = 0;
};
BOOST_DESCRIBE_STRUCT(UsageView, (), (name, used, limit))

struct VersionView {
  std::string version;
};
BOOST_DESCRIBE_STRUCT(VersionView, (), (version))

struct StatusView {
  VersionView daemon;
  std::string node;
  std::int64_t pid = 0;
  std::int64_t uptime_seconds = 0;
  std::string source;              // "file /etc/fairlead/manifests"
  bool synced = false;             // the source has been read completely at least once
  double heard_seconds = -1;       // since an API server was heard last; -1: never, or the source is none
  double behind_seconds = 0;       // for how long changes of the source may have been missed; 0: it is followed
  bool adopted = false;            // maps of an earlier daemon were taken over
  std::int64_t services = 0;       // that the proxy serves
  std::int64_t problems = 0;       // what cannot be honoured: see problems
  std::int64_t failed_writes = 0;  // map writes that failed and have still to succeed
  std::vector<DeviceView> devices;
  std::vector<UsageView> usage;
};
BOOST_DESCRIBE_STRUCT(StatusView, (),
                      (daemon, node, pid, uptime_seconds, source, synced, heard_seconds, behind_seconds, adopted,
                       services, problems, failed_writes, devices, usage))

struct ProblemView {
  std::string where;
  std::string object;
  std::string field;
  std::string value;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(ProblemView, (), (where, object, field, value, message))

struct FrontendView {
  FrontendKind kind = FrontendKind::kClusterIp;
  std::string address;  // empty for a NodePort, which is on the addresses that NodePorts are served on
  std::uint16_t port = 0;
  Action action = Action::kReject;
  std::int64_t backends = 0;  // that new connections go to
  std::string error;          // why it is pending
};
BOOST_DESCRIBE_STRUCT(FrontendView, (), (kind, address, port, action, backends, error))

struct BackendView {
  std::string address;
  std::uint16_t port = 0;
  BackendState state = BackendState::kUnused;
  bool local = false;
  std::int64_t slot = -1;  // in the maps; -1 when it has no place there
  std::uint64_t connections = 0;
  std::uint64_t packets_in = 0;  // client to backend
  std::uint64_t bytes_in = 0;
  std::uint64_t packets_out = 0;  // backend to client
  std::uint64_t bytes_out = 0;
};
BOOST_DESCRIBE_STRUCT(BackendView, (),
                      (address, port, state, local, slot, connections, packets_in, bytes_in, packets_out, bytes_out))

struct ServicePortView {
  std::string id;    // "default/web:http/TCP/IPv4"
  std::string name;  // of the port; empty for an unnamed one
  std::uint16_t port = 0;
  std::string protocol;
  Family family = Family::IPv4;
  std::vector<FrontendView> frontends;
  std::vector<BackendView> backends;
};
BOOST_DESCRIBE_STRUCT(ServicePortView, (), (id, name, port, protocol, family, frontends, backends))

struct ServiceView {
  std::string space;  // "namespace" in JSON, which C++ keeps for itself
  std::string name;
  std::string type;
  std::vector<ServicePortView> ports;
  std::vector<ProblemView> problems;
  std::string note = {};  // what of it is not served although nothing is wrong, and why
};
void tag_invoke(boost::json::value_from_tag, boost::json::value& json, const ServiceView& service);
boost::json::result<ServiceView> tag_invoke(boost::json::try_value_to_tag<ServiceView>, const boost::json::value& json);

struct FlowView {
  std::string protocol;
  std::string service;  // id of the service port; empty when it is gone
  std::string client;   // "198.51.100.7:40000"
  std::string frontend;
  std::string source;  // what the backend sees
  std::string backend;
  FlowState state = FlowState::kNew;
  bool local = false;
  bool backend_gone = false;
  std::int64_t expires_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(FlowView, (),
                      (protocol, service, client, frontend, source, backend, state, local, backend_gone,
                       expires_seconds))

struct CountView {
  std::uint64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(CountView, (), (count))

struct RingMemberView {
  std::string address;
  std::uint16_t port = 0;
  std::uint64_t slots = 0;
};
BOOST_DESCRIBE_STRUCT(RingMemberView, (), (address, port, slots))

struct RingView {
  std::string service;                 // id of the service port
  std::vector<std::string> frontends;  // that use this ring
  std::uint64_t slots = 0;
  double imbalance = 0;  // slots of the largest share over the mean
  std::vector<RingMemberView> members;
};
BOOST_DESCRIBE_STRUCT(RingView, (), (service, frontends, slots, imbalance, members))

struct VerdictView {
  std::string name;
  VerdictKind kind = VerdictKind::kPass;
  std::string meaning;
  std::uint64_t packets = 0;
};
BOOST_DESCRIBE_STRUCT(VerdictView, (), (name, kind, meaning, packets))

// What became of the packets that passed a hook.
struct HookView {
  std::string hook;  // "tc_ingress"
  std::vector<VerdictView> verdicts;
};
BOOST_DESCRIBE_STRUCT(HookView, (), (hook, verdicts))

struct ErrorView {
  std::string error;
};
BOOST_DESCRIBE_STRUCT(ErrorView, (), (error))

}  // namespace fairlead::admin
