// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/compiler.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/unit/compile/objects.h"

namespace fairlead::compile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const model::Name kOld{"default", "old"};
const model::Name kNew{"default", "new"};

// A service whose only frontend is this address, on port 80.
std::shared_ptr<const model::Service> at(const model::Name& name, const std::string& address,
                                         const std::string& created = "") {
  auto one = service({address}, name);
  one.cluster_ips.clear();
  one.ports[0].node_port = 0;
  one.created = created;
  return std::make_shared<const model::Service>(one);
}

// What an observer of the outputs knows: specs by name.
class Specs {
 public:
  explicit Specs(model::Store& store) : store_(store) {}

  Compiler::Output update() { return apply(compiler_.update(store_.take_changed().services, store_)); }
  Compiler::Output set_in_vain(const std::string& port, const Compiler::Frontends& frontends) {
    return apply(compiler_.set_in_vain(port, frontends, store_));
  }
  Compiler::Output set_node(const NodeView& node) { return apply(compiler_.set_node(node, {}, store_)); }

  std::vector<std::string> all_frontends(const std::string& port) const {
    const auto it = specs_.find(port);
    return it == specs_.end() ? std::vector<std::string>{} : frontends(it->second);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, spec] : specs_)
      names.push_back(name);
    return names;
  }
  const Compiler& compiler() const { return compiler_; }
  // The message of the only problem.
  std::string problem_of(const model::Name& name) const {
    const auto it = compiler_.problems().find(name);
    return it == compiler_.problems().end() ? "" : it->second.front().message;
  }

 private:
  Compiler::Output apply(Compiler::Output output) {
    for (const std::string& name : output.remove)
      EXPECT_EQ(specs_.erase(name), 1u) << name << " was not there";
    for (const state::PortSpec& spec : output.put)
      specs_.insert_or_assign(spec.name, spec);
    return output;
  }

  model::Store& store_;
  Compiler compiler_;
  std::map<std::string, state::PortSpec> specs_;
};

TEST(Compiler, TheOlderServiceHasTheFrontend) {
  model::Store store;
  Specs specs(store);
  store.put(at(kNew, "192.0.2.1", "2026-02-01T00:00:00Z"));
  specs.update();
  EXPECT_THAT(specs.all_frontends("default/new:80/TCP/IPv4"), ElementsAre("192.0.2.1:80/TCP"));

  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  specs.update();
  EXPECT_THAT(specs.names(), ElementsAre("default/old:80/TCP/IPv4"));
  ASSERT_TRUE(specs.compiler().problems().contains(kNew));
  const model::Problem& problem = specs.compiler().problems().at(kNew).front();
  EXPECT_EQ(problem.object, "Service default/new");
  EXPECT_EQ(problem.value, "192.0.2.1:80/TCP");
  EXPECT_THAT(problem.message, HasSubstr("default/old"));
  EXPECT_FALSE(specs.compiler().problems().contains(kOld));
}

TEST(Compiler, WhenTheOwnerGoesTheNextInLineHasIt) {
  model::Store store;
  Specs specs(store);
  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  store.put(at(kNew, "192.0.2.1", "2026-02-01T00:00:00Z"));
  specs.update();
  store.remove_service(kOld);
  specs.update();
  EXPECT_THAT(specs.names(), ElementsAre("default/new:80/TCP/IPv4"));
  EXPECT_THAT(specs.compiler().problems(), IsEmpty());
}

TEST(Compiler, WhenTheOwnerMovesTheNextInLineHasIt) {
  model::Store store;
  Specs specs(store);
  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  store.put(at(kNew, "192.0.2.1", "2026-02-01T00:00:00Z"));
  specs.update();
  store.put(at(kOld, "192.0.2.2", "2026-01-01T00:00:00Z"));
  specs.update();
  EXPECT_THAT(specs.all_frontends("default/old:80/TCP/IPv4"), ElementsAre("192.0.2.2:80/TCP"));
  EXPECT_THAT(specs.all_frontends("default/new:80/TCP/IPv4"), ElementsAre("192.0.2.1:80/TCP"));
  EXPECT_THAT(specs.compiler().problems(), IsEmpty());
}

// Deleted and made again under the same name, both seen at once: the other one is the older now.
TEST(Compiler, WhenTheOwnerBecomesTheYoungerTheNextInLineHasIt) {
  model::Store store;
  Specs specs(store);
  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  store.put(at(kNew, "192.0.2.1", "2026-02-01T00:00:00Z"));
  specs.update();
  store.put(at(kOld, "192.0.2.1", "2026-03-01T00:00:00Z"));
  specs.update();
  EXPECT_THAT(specs.names(), ElementsAre("default/new:80/TCP/IPv4"));
  EXPECT_TRUE(specs.compiler().problems().contains(kOld));
  EXPECT_FALSE(specs.compiler().problems().contains(kNew));
}

TEST(Compiler, WithoutAnAgeTheNameDecides) {
  model::Store store;
  Specs specs(store);
  store.put(at(kOld, "192.0.2.1"));
  store.put(at(kNew, "192.0.2.1"));
  specs.update();
  EXPECT_THAT(specs.names(), ElementsAre("default/new:80/TCP/IPv4"));
}

const model::Name kThird{"default", "third"};

// Three that want one frontend, the oldest first.
void put_three(model::Store& store) {
  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  store.put(at(kNew, "192.0.2.1", "2026-02-01T00:00:00Z"));
  store.put(at(kThird, "192.0.2.1", "2026-03-01T00:00:00Z"));
}

// Those that have neither lost nor got the frontend are told whose it is too.
TEST(Compiler, WhoeverWantsAFrontendIsToldWhoseItIs) {
  model::Store store;
  Specs specs(store);
  put_three(store);
  specs.update();
  EXPECT_THAT(specs.problem_of(kThird), HasSubstr("Service default/old"));
  store.remove_service(kOld);
  specs.update();
  EXPECT_THAT(specs.problem_of(kThird), HasSubstr("Service default/new"));
  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  specs.update();
  EXPECT_THAT(specs.problem_of(kThird), HasSubstr("Service default/old"));
  EXPECT_THAT(specs.problem_of(kNew), HasSubstr("Service default/old"));
}

TEST(Compiler, WhatIsWantedInVainTheNextInLineHas) {
  const auto key = [](const std::string& address) {
    return lb_service_key{state::to_abi(Address::literal(address)), htons(80), LB_IPPROTO_TCP, LB_AF_INET};
  };
  model::Store store;
  Specs specs(store);
  put_three(store);
  specs.update();

  const auto output = specs.set_in_vain("default/old:80/TCP/IPv4", {key("192.0.2.1")});
  EXPECT_THAT(output.services, ElementsAre(kNew, kThird)) << "who wants it in vain goes on wanting it";
  EXPECT_THAT(specs.names(), ElementsAre("default/new:80/TCP/IPv4", "default/old:80/TCP/IPv4"));
  EXPECT_THAT(specs.problem_of(kThird), HasSubstr("Service default/new"));
  EXPECT_THAT(specs.set_in_vain("default/old:80/TCP/IPv4", {key("192.0.2.1")}).services, IsEmpty());

  store.put(at(kOld, "192.0.2.1", "2026-01-01T00:00:00Z"));
  specs.update();
  EXPECT_THAT(specs.names(), ElementsAre("default/new:80/TCP/IPv4", "default/old:80/TCP/IPv4"));

  EXPECT_THAT(specs.set_in_vain("default/old:80/TCP/IPv4", {key("192.0.2.9")}).services, ElementsAre(kNew, kThird));
  EXPECT_THAT(specs.names(), ElementsAre("default/old:80/TCP/IPv4"));
}

// The API allows an external address that is also the load balancer's.
TEST(Compiler, AnAddressThatAServiceNamesTwiceIsOneFrontend) {
  model::Store store;
  Specs specs(store);
  auto web = service({"192.0.2.1"});
  web.external_ips = {Address::literal("192.0.2.1")};
  store.put(std::make_shared<const model::Service>(web));
  specs.update();
  EXPECT_THAT(specs.compiler().problems(), IsEmpty());
  web.external_ips.clear();
  store.put(std::make_shared<const model::Service>(web));
  specs.update();
  EXPECT_THAT(specs.all_frontends("default/web:80/TCP/IPv4"),
              ElementsAre("10.96.0.1:80/TCP", "192.0.2.1:80/TCP", "nodeport 30080/TCP/IPv4"));
  store.remove_service(kWeb);
  specs.update();
  EXPECT_THAT(specs.names(), IsEmpty());
}

TEST(Compiler, OnlyWhatChangedIsCompiled) {
  model::Store store;
  Specs specs(store);
  store.put(at(kOld, "192.0.2.1"));
  store.put(at(kNew, "192.0.2.2"));
  specs.update();
  store.put(slice({{"10.0.0.1"}}, "old-1", kOld));
  const auto output = specs.update();
  EXPECT_THAT(output.services, ElementsAre(kOld));
  ASSERT_EQ(output.put.size(), 1u);
  EXPECT_EQ(output.put[0].name, "default/old:80/TCP/IPv4");
  EXPECT_EQ(output.put[0].backends.size(), 1u);
}

TEST(Compiler, AnotherNodeIsEverythingAnewAndTheSameNothing) {
  model::Store store;
  Specs specs(store);
  store.put(at(kOld, "192.0.2.1"));
  store.put(slice({{"10.0.0.1", "node1"}}, "old-1", kOld));
  specs.update();
  EXPECT_EQ(specs.set_node(kNode).put.at(0).backends.at(0).flags, static_cast<std::uint32_t>(LB_BACKEND_LOCAL));
  EXPECT_THAT(specs.set_node(kNode).put, IsEmpty());
}

TEST(Compiler, PortsThatGoAreRemoved) {
  model::Store store;
  Specs specs(store);
  auto web = service({"192.0.2.1"});
  web.ports = {{"a", model::Protocol::kTcp, 80, 0}, {"b", model::Protocol::kUdp, 80, 0}};
  store.put(std::make_shared<const model::Service>(web));
  specs.update();
  EXPECT_THAT(specs.names(), ElementsAre("default/web:a/TCP/IPv4", "default/web:b/UDP/IPv4"));
  EXPECT_THAT(specs.compiler().ports_of(kWeb),
              UnorderedElementsAre("default/web:a/TCP/IPv4", "default/web:b/UDP/IPv4"));
  web.ports.pop_back();
  store.put(std::make_shared<const model::Service>(web));
  EXPECT_THAT(specs.update().remove, ElementsAre("default/web:b/UDP/IPv4"));
}

// Eight services fight for four addresses; who has what in the end is not a matter of who came when.
TEST(Compiler, TheOrderOfChangesDoesNotMatter) {
  std::vector<std::shared_ptr<const model::Service>> all;
  for (int i = 0; i < 8; ++i) {
    auto one = service({"192.0.2." + std::to_string(i % 4), "192.0.2." + std::to_string((i + 1) % 4)},
                       {"default", "s" + std::to_string(i)});
    one.cluster_ips.clear();
    one.created = "2026-01-0" + std::to_string(1 + i * 5 % 8) + "T00:00:00Z";
    all.push_back(std::make_shared<const model::Service>(one));
  }
  std::map<std::string, std::vector<std::string>> expected;
  std::mt19937 random(20260101);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(all.begin(), all.end(), random);
    model::Store store;
    Specs specs(store);
    for (const auto& one : all) {
      if (random() % 4 == 0) {  // an earlier one of this name, of another age
        auto earlier = *one;
        earlier.created = "2026-01-0" + std::to_string(random() % 10) + "T12:00:00Z";
        store.put(std::make_shared<const model::Service>(earlier));
        specs.update();
      }
      store.put(one);
      if (random() % 2) specs.update();
      if (random() % 4 == 0) {
        store.remove_service(one->name);
        specs.update();
        store.put(one);
      }
    }
    specs.update();
    std::map<std::string, std::vector<std::string>> found;
    for (const std::string& name : specs.names())
      found[name] = specs.all_frontends(name);
    if (round == 0) expected = found;
    ASSERT_EQ(found, expected) << "round " << round;
  }
  std::size_t served = 0;
  for (const auto& [name, addresses] : expected)
    served += addresses.size();
  EXPECT_EQ(served, 4u);
}

}  // namespace
}  // namespace fairlead::compile
