// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/support/directory.h"
#include "tests/unit/source/following.h"

namespace fairlead::source {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Endpoints of the service "web" with these subsets.
std::string endpoints_text(const std::string& subsets) {
  return "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop}\nsubsets: " + subsets + "\n";
}

// "10.0.0.1 ready on node-a, port http 8080/TCP" of each endpoint and port.
std::vector<std::string> endpoints(const model::Store& store) {
  std::vector<std::string> texts;
  for (const auto& [name, slice] : store.slices_of({"shop", "web"}))
    for (const model::Endpoint& endpoint : slice->endpoints)
      for (const model::EndpointPort& port : slice->ports)
        texts.push_back(endpoint.address.to_string() + (endpoint.ready ? " ready" : " not ready") + " on " +
                        endpoint.node_name + ", port " + *port.name + " " + std::to_string(port.port) + "/" +
                        model::to_string(port.protocol));
  return texts;
}

TEST(Endpoints, AreReadAsSlicesAre) {
  const test::Directory directory;
  directory.write("a.yaml", endpoints_text(R"([
    {addresses: [{ip: 10.0.0.1, nodeName: node-a}, {ip: "2001:db8::1"}], notReadyAddresses: [{ip: 10.0.0.2}],
     ports: [{name: http, port: 8080}]},
    {addresses: [{ip: 10.0.0.3}], ports: [{port: 53, protocol: UDP}]}])"));
  Following following(directory);
  following.source.scan();
  EXPECT_THAT(following.problems(), IsEmpty());
  EXPECT_THAT(endpoints(following.store),
              ElementsAre("10.0.0.1 ready on node-a, port http 8080/TCP", "10.0.0.2 not ready on , port http 8080/TCP",
                          "2001:db8::1 ready on , port http 8080/TCP", "10.0.0.3 ready on , port  53/UDP"));
}

TEST(Endpoints, ChangeAndGo) {
  const test::Directory directory;
  directory.write("a.yaml", endpoints_text("[{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}, "
                                           "{addresses: [{ip: 10.0.0.2}], ports: [{port: 81}]}]"));
  Following following(directory);
  following.source.scan();
  directory.write("a.yaml", endpoints_text("[{addresses: [{ip: 10.0.0.1}], ports: [{port: 82}]}]"));
  following.source.scan();
  EXPECT_THAT(endpoints(following.store), ElementsAre("10.0.0.1 ready on , port  82/TCP"));
  directory.write("a.yaml", endpoints_text("[]"));
  following.source.scan();
  EXPECT_THAT(following.store.slices(), IsEmpty());
  directory.write("a.yaml", endpoints_text("[{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]"));
  following.source.scan();
  directory.remove("a.yaml");
  following.source.scan();
  EXPECT_THAT(following.store.slices(), IsEmpty());
}

TEST(Endpoints, WhatIsWrongIsNamed) {
  const test::Directory directory;
  directory.write("a.yaml", endpoints_text("[{addresses: [{ip: 127.0.0.1}, {ip: 10.0.0.1}], ports: [{port: 80}]}]"));
  Following following(directory);
  following.source.scan();
  EXPECT_THAT(
      following.problems(),
      ElementsAre("a.yaml, document 1: Endpoints shop/web: subsets[0].addresses[0].ip: 127.0.0.1: must not be a "
                  "loopback, link-local or multicast address"));
  EXPECT_THAT(endpoints(following.store), ElementsAre("10.0.0.1 ready on , port  80/TCP"));
}

}  // namespace
}  // namespace fairlead::source
