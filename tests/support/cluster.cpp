// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cluster.h"

#include "userspace/util/timestamp.h"

namespace fairlead::test {

Result<> Cluster::add_nodes() const {
  std::vector<std::string> arguments{"objects", "--prefix", plane_->lab().prefix()};
  for (const Node& node : plane_->lab().nodes())
    arguments.push_back(node.name);
  const auto yaml = lab_script(arguments);
  if (!yaml) return yaml.error();
  return create(*yaml, "default");
}

Result<> Cluster::add_pod(const Pod& pod, const std::string& labels, const std::string& name_space) const {
  const auto yaml = lab_script({"objects", "--prefix", plane_->lab().prefix(), "--labels", labels, pod.name});
  if (!yaml) return yaml.error();
  return create(*yaml, name_space);
}

// The API server takes an object without its status, and a status only of an object that exists.
Result<> Cluster::create(const std::string& yaml, const std::string& name_space) const {
  for (const auto& verb : {std::vector<std::string>{"create"}, {"replace", "--subresource=status"}}) {
    std::vector<std::string> arguments(verb);
    arguments.insert(arguments.end(), {"--namespace", name_space, "-f", "-"});
    if (const auto done = plane_->kubectl(arguments, yaml); !done) return done.error();
  }
  return {};
}

Result<> Cluster::set_ready(const Pod& pod, bool ready, const std::string& name_space) const {
  const std::string status = ready ? "True" : "False";
  return kubectl({"patch", "pod", pod.name, "--subresource=status", "--patch",
                  R"({"status":{"conditions":[{"type":"Ready","status":")" + status + R"(","lastTransitionTime":")" +
                      format_timestamp(std::chrono::system_clock::now()) + R"("}]}})"},
                 name_space);
}

Result<> Cluster::terminate(const Pod& pod, const std::string& name_space) const {
  return kubectl({"delete", "pod", pod.name, "--grace-period=3600", "--wait=false"}, name_space);
}

Result<> Cluster::remove(const Pod& pod, const std::string& name_space) const {
  return kubectl({"delete", "pod", pod.name, "--grace-period=0", "--force"}, name_space);
}

Result<> Cluster::kubectl(const std::vector<std::string>& arguments, const std::string& name_space) const {
  std::vector<std::string> argv{"--namespace", name_space};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto done = plane_->kubectl(argv);
  if (!done) return done.error();
  return {};
}

}  // namespace fairlead::test
