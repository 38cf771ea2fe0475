// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/cluster.h"
#include "tests/support/control_plane.h"
#include "tests/support/eventually.h"
#include "tests/support/lab.h"

namespace fairlead::test {

// For what controllers and proxies do by themselves: they gather changes for a second, on a machine that may be busy.
constexpr std::chrono::seconds kSoon{30};

// A lab of two nodes with two pods each, a control plane, and a namespace of the test's own in it. Tests of one program
// share the lab and the control plane as long as they want the same version, so sort them by version.
class Stage : public testing::Test {
 public:
  // Of what is shared, by main().
  static void end() { shared_.reset(); }

 protected:
  // To be called first by SetUp(); what cannot run is skipped.
  void open(const std::string& version) {
    if (const auto missing = missing_for_kubernetes(version)) GTEST_SKIP() << *missing;
    if (!shared_ || shared_->version != version) {
      ASSERT_NO_FATAL_FAILURE(make_shared(version));
    }
    make_namespace();
  }

  void TearDown() override {
    if (name_space_.empty()) return;
    EXPECT_TRUE(plane().kubectl({"delete", "namespace", name_space_, "--wait=false"}));
  }

  const Lab& lab() const { return shared_->lab; }
  ControlPlane& plane() const { return *shared_->plane; }
  Cluster cluster() const { return Cluster(plane()); }
  const std::string& name_space() const { return name_space_; }

  // Applies it to the test's namespace.
  void apply(const std::string& yaml) const {
    const auto applied = plane().kubectl({"apply", "--namespace", name_space_, "-f", "-"}, yaml);
    ASSERT_TRUE(applied) << applied.error().message;
  }

  // A pod of the lab in the test's namespace.
  void add_pod(int node, int pod, const std::string& labels = "app=web") const {
    const auto added = cluster().add_pod(lab().pod(node, pod), labels, name_space_);
    ASSERT_TRUE(added) << added.error().message;
  }

  // Path of a kubeconfig with the token of a new ServiceAccount that is bound to that ClusterRole.
  std::string account(const std::string& name, const std::string& cluster_role, const std::string& server = {}) const {
    const std::string full = name_space_ + ":" + name;
    EXPECT_TRUE(plane().kubectl({"create", "serviceaccount", name, "--namespace", name_space_}));
    EXPECT_TRUE(plane().kubectl({"create", "clusterrolebinding", name_space_ + "-" + name,
                                 "--clusterrole=" + cluster_role, "--serviceaccount=" + full}));
    const auto path = plane().kubeconfig_for(name_space_, name, server);
    EXPECT_TRUE(path) << path.error().message;
    return path ? *path : "";
  }

 private:
  struct Shared {
    std::string version;
    Lab lab;
    std::unique_ptr<ControlPlane> plane;
  };

  static void make_shared(const std::string& version) {
    shared_.reset();
    auto lab = Lab::up({.nodes = 2, .pods = 2});
    ASSERT_TRUE(lab) << lab.error().message;
    auto made = std::make_unique<Shared>(Shared{version, std::move(*lab), nullptr});
    auto plane = ControlPlane::up(made->lab, version);
    ASSERT_TRUE(plane) << plane.error().message;
    made->plane = std::make_unique<ControlPlane>(std::move(*plane));
    const auto nodes = Cluster(*made->plane).add_nodes();
    ASSERT_TRUE(nodes) << nodes.error().message;
    shared_ = std::move(made);
  }

  void make_namespace() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    for (char& c : name)
      c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
                                                      : '-';
    const auto made = plane().kubectl({"create", "namespace", name});
    ASSERT_TRUE(made) << made.error().message;
    name_space_ = name;
  }

  static inline std::unique_ptr<Shared> shared_;
  std::string name_space_;
};

}  // namespace fairlead::test
