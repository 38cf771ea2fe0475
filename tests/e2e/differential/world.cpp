// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/world.h"

#include <iostream>

#include "tests/e2e/differential/survey.h"
#include "tests/support/cluster.h"

namespace fairlead::test::differential {
namespace {

namespace json = boost::json;

// Of node1, beside those that its Node object names.
const Address kSecond4 = Address::literal("10.201.9.1");
const Address kSecond6 = Address::literal("fd00:201:9::1");

std::string list_of(json::array items) {
  return json::serialize(json::object{{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}});
}

// A service at addresses that no machine leads anywhere, so that whoever gets an answer has a proxy on its own node.
constexpr const char* kSignIps[] = {"203.0.113.1", "2001:db8:113::1"};
const Behaviour kSign{
    .name = "sign",
    .service = R"({"spec": {"externalIPs": ["203.0.113.1", "2001:db8:113::1"]}})",
    .endpoints = {{"node1-pod1"}, {"node2-pod1"}},
    .frontends = {},
};

std::string newest_there_is() {
  return missing_for_kubernetes(kNewestKubernetes) ? kOldestKubernetes : kNewestKubernetes;
}

class Stopwatch {
 public:
  explicit Stopwatch(std::string what) : what_(std::move(what)) {}
  ~Stopwatch() {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_);
    std::cout << "  " << what_ << ": " << took.count() << " ms" << std::endl;
  }

 private:
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<std::unique_ptr<World>> World::make(std::vector<Behaviour> behaviours) {
  const Stopwatch watch("lab, control plane and objects");
  auto lab = Lab::up({.nodes = 2, .pods = 3});
  if (!lab) return lab.error();
  behaviours.push_back(kSign);
  std::unique_ptr<World> world(new World(std::move(*lab), numbered(behaviours)));
  world->cells_ = cells_of(world->rows_, world->lab_, kSecond4, kSecond6);
  if (auto done = world->add_addresses(); !done) return done.error();
  if (auto done = world->serve(); !done) return done.error();
  if (auto done = world->start_control_plane(); !done) return done.error();
  if (auto done = world->create_objects(); !done) return done.error();
  return world;
}

// The router leads to node1 what belongs to no machine, and its other address. That is never a source by itself.
Result<> World::add_addresses() const {
  const Node& node = lab_.node(1);
  const std::string via4 = node.ipv4.to_string(), via6 = node.ipv6.to_string();
  const std::string second4 = kSecond4.to_string() + "/32", second6 = kSecond6.to_string() + "/128";
  const std::vector<std::pair<const Host*, std::vector<std::string>>> commands{
      {&node, {"ip", "address", "add", second4, "dev", node.device}},
      {&node, {"ip", "address", "add", second6, "dev", node.device, "nodad", "preferred_lft", "0"}},
      {&lab_.router(), {"ip", "route", "add", second4, "via", via4}},
      {&lab_.router(), {"ip", "route", "add", second6, "via", via6}},
      {&lab_.router(), {"ip", "route", "add", "10.96.0.0/16", "via", via4}},
      {&lab_.router(), {"ip", "route", "add", "fd00:96::/108", "via", via6}},
  };
  for (const auto& [host, command] : commands)
    if (auto done = lab_.run_in(*host, command); !done) return done.error();
  return {};
}

// On the pods that may be backends and, for those in the host's network, on the nodes.
Result<> World::serve() {
  for (const char* name : {"node1-pod1", "node1-pod2", "node2-pod1", "node2-pod2", "node1", "node2"}) {
    auto server = lab_.start_peer(*find_host(lab_, name), {"serve", "--name", name, "--tcp", "8080", "--tcp", "8081",
                                                           "--udp", "8080", "--udp", "8081"});
    if (!server) return server.error();
    if (auto ready = server->wait_for_line("ready", std::chrono::seconds(30)); !ready) return ready.error();
    servers_.push_back(std::move(*server));
  }
  return {};
}

Result<> World::start_control_plane() {
  auto plane = ControlPlane::up(lab_, newest_there_is());
  if (!plane) return plane.error();
  plane_ = std::make_unique<ControlPlane>(std::move(*plane));
  if (auto added = Cluster(*plane_).add_nodes(); !added) return added.error();
  // What Fairlead's manifests allow is enough for lbd, and kube-proxy has a role of its own.
  const std::vector<std::string> commands[] = {
      {"apply", "--namespace", "kube-system", "-f", FAIRLEAD_RBAC},
      {"create", "serviceaccount", "proxy"},
      {"create", "clusterrolebinding", "proxy", "--clusterrole=system:node-proxier", "--serviceaccount=default:proxy"}};
  for (const auto& command : commands)
    if (auto done = plane_->kubectl(command); !done) return done.error();
  auto ours = plane_->kubeconfig_for("kube-system", "fairlead"), theirs = plane_->kubeconfig_for("default", "proxy");
  if (!ours || !theirs) return (ours ? theirs : ours).error();
  our_kubeconfig_ = *ours;
  their_kubeconfig_ = *theirs;
  return {};
}

Result<> World::create_objects() const {
  json::array objects, with_status;
  for (const Row& row : rows_) {
    const auto service = service_of(row);
    if (service) objects.push_back(*service);
    if (service && service->contains("status")) with_status.push_back(*service);
    for (const json::object& slice : slices_of(row, lab_))
      objects.push_back(slice);
  }
  if (auto done = plane_->kubectl({"create", "-f", "-"}, list_of(objects)); !done) return done.error();
  auto done = plane_->kubectl({"replace", "--subresource=status", "-f", "-"}, list_of(with_status));
  if (!done) return done.error();
  return {};
}

std::unique_ptr<Proxy> World::make_proxy(const std::string& name) const {
  if (name == "lbd") return lbd(*plane_, our_kubeconfig_);
  std::vector<Endpoint> signs;
  for (const char* ip : kSignIps)
    signs.push_back({Address::literal(ip), kServicePort});
  return kube_proxy(*plane_, name, their_kubeconfig_, signs);
}

Result<Observations> World::observe(const std::string& proxy) const {
  const Stopwatch watch(proxy);
  const auto running = make_proxy(proxy);
  {
    const Stopwatch start(proxy + " starts");
    if (auto started = running->start(); !started) return started.error();
  }
  const Stopwatch all(proxy + " surveyed");
  auto observations = survey(cells_, lab_);
  if (auto stopped = running->stop(); !stopped) return stopped.error();
  return observations;
}

}  // namespace fairlead::test::differential
