// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/source/decoding.h"
#include "userspace/util/timestamp.h"

namespace fairlead::source {
namespace {

using model::EndpointPort;
using model::EndpointSlice;
using model::Protocol;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kObject = "EndpointSlice default/web-1";

// A slice of the service "web", with this behind its metadata.
Decoded slice(const std::string& body) {
  return decode(
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
      "metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\n" +
      body);
}

std::vector<std::string> addresses(const EndpointSlice& slice) {
  std::vector<std::string> result;
  for (const model::Endpoint& endpoint : slice.endpoints)
    result.push_back(endpoint.address.to_string());
  return result;
}

TEST(DecodeEndpointSlice, ReadsEveryFieldThatTheProxyNeeds) {
  const Decoded decoded = decode(R"(
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  namespace: shop
  labels:
    kubernetes.io/service-name: web
    service.kubernetes.io/headless: ""
  annotations:
    endpoints.kubernetes.io/last-change-trigger-time: 2026-01-02T03:04:05.6Z
addressType: IPv6
ports:
- {name: http, port: 8080, protocol: TCP, appProtocol: http}
- {name: dns, port: 53, protocol: UDP}
endpoints:
- addresses: ["2001:db8::1"]
  conditions: {ready: false, serving: true, terminating: true}
  nodeName: node-a
  zone: zone-1
  hints: {forZones: [{name: zone-1}, {name: zone-2}], forNodes: [{name: node-a}]}
  targetRef: {kind: Pod}
- addresses: ["2001:db8::3"]
  conditions: {ready: null}
)");
  EXPECT_THAT(complaints(decoded), IsEmpty());
  const auto slice = only<EndpointSlice>(decoded);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->name.to_string(), "shop/web-1");
  EXPECT_EQ(slice->service.to_string(), "shop/web");
  EXPECT_TRUE(slice->headless);
  EXPECT_EQ(slice->family, Family::IPv6);
  EXPECT_EQ(slice->last_change_trigger_time, parse_timestamp("2026-01-02T03:04:05.6Z"));
  EXPECT_THAT(slice->ports,
              ElementsAre(EndpointPort{"http", Protocol::kTcp, 8080}, EndpointPort{"dns", Protocol::kUdp, 53}));
  EXPECT_THAT(addresses(*slice), ElementsAre("2001:db8::1", "2001:db8::3"));
  const model::Endpoint& first = slice->endpoints[0];
  EXPECT_FALSE(first.ready);
  EXPECT_TRUE(first.serving);
  EXPECT_TRUE(first.terminating);
  EXPECT_EQ(first.node_name, "node-a");
  EXPECT_EQ(first.zone, "zone-1");
  EXPECT_THAT(first.hint_zones, ElementsAre("zone-1", "zone-2"));
  EXPECT_THAT(first.hint_nodes, ElementsAre("node-a"));
  const model::Endpoint& second = slice->endpoints[1];
  EXPECT_TRUE(second.ready);
  EXPECT_TRUE(second.serving);
  EXPECT_FALSE(second.terminating);
}

// As the API server does: a port that was written without a name is the unnamed port.
TEST(DecodeEndpointSlice, FillsInWhatTheApiServerWould) {
  const auto decoded = only<EndpointSlice>(slice("addressType: IPv4\nports: [{port: 80}, {name: all}]\n"));
  ASSERT_TRUE(decoded);
  EXPECT_THAT(decoded->ports,
              ElementsAre(EndpointPort{"", Protocol::kTcp, 80}, EndpointPort{"all", Protocol::kTcp, 0}));
  EXPECT_FALSE(decoded->headless);
  EXPECT_THAT(decoded->endpoints, IsEmpty());
}

TEST(DecodeEndpointSlice, ABadEndpointCostsOnlyItself) {
  const Decoded decoded = slice(R"(
addressType: IPv4
endpoints:
- addresses: [10.0.0.1]
- addresses: []
- {}
- addresses: ["2001:db8::1"]
- addresses: [web-0.example.com]
- addresses: [""]
- addresses: [127.0.0.1]
- {addresses: [10.0.0.2], conditions: {ready: "false"}}
- {addresses: [10.0.0.3], hints: {forZones: zone-1}}
- 10.0.0.4
- addresses: [10.0.0.5]
)");
  EXPECT_THAT(
      complaints(decoded),
      ElementsAre(std::string(kObject) + ": endpoints[1].addresses: []: is missing",
                  std::string(kObject) + ": endpoints[2].addresses: is missing",
                  std::string(kObject) + ": endpoints[3].addresses[0]: 2001:db8::1: is not of the slice's addressType",
                  std::string(kObject) + ": endpoints[4].addresses[0]: web-0.example.com: is not an IP address",
                  std::string(kObject) + ": endpoints[5].addresses[0]: is missing",
                  std::string(kObject) +
                      ": endpoints[6].addresses[0]: 127.0.0.1: must not be a loopback, link-local or "
                      "multicast address",
                  std::string(kObject) + ": endpoints[7].conditions.ready: false: must be a boolean, not a string",
                  std::string(kObject) + ": endpoints[8].hints.forZones: zone-1: must be a list, not a string",
                  std::string(kObject) + ": endpoints[9]: 10.0.0.4: must be an object, not a string"));
  const auto used = only<EndpointSlice>(decoded);
  ASSERT_TRUE(used);
  EXPECT_THAT(addresses(*used), ElementsAre("10.0.0.1", "10.0.0.5"));
}

TEST(DecodeEndpointSlice, AnotherAddressOfAnEndpointIsNamed) {
  const Decoded decoded = slice("addressType: IPv4\nendpoints: [{addresses: [10.0.0.1, 10.0.0.2]}]\n");
  EXPECT_THAT(complaints(decoded),
              ElementsAre(std::string(kObject) + ": endpoints[0].addresses[1]: 10.0.0.2: is not used: only the first "
                                                 "address of an endpoint counts"));
  const auto used = only<EndpointSlice>(decoded);
  ASSERT_TRUE(used);
  EXPECT_THAT(addresses(*used), ElementsAre("10.0.0.1"));
}

TEST(DecodeEndpointSlice, SlicesOfNamesAreIgnored) {
  const Decoded decoded = slice("addressType: FQDN\nendpoints: [{addresses: [web.example.com]}]\n");
  EXPECT_THAT(complaints(decoded), IsEmpty());
  EXPECT_THAT(decoded.items, IsEmpty());
  EXPECT_EQ(decoded.ignored, 1u);
}

TEST(DecodeEndpointSlice, WhatMakesItUseless) {
  const auto complaint = [](const std::string& body) {
    const Decoded decoded = slice(body);
    EXPECT_FALSE(only<EndpointSlice>(decoded)) << body;
    return decoded.problems.size() == 1 ? decoded.problems[0].field + ": " + decoded.problems[0].message : "?";
  };
  EXPECT_EQ(complaint("endpoints: [{addresses: [10.0.0.1]}]\n"), "addressType: is missing");
  EXPECT_EQ(complaint("addressType: ipv4\n"), "addressType: must be IPv4, IPv6 or FQDN");
  EXPECT_EQ(complaint("addressType: IPv4\nports: [{port: 0}]\n"), "ports[0].port: must be between 1 and 65535");
  EXPECT_EQ(complaint("addressType: IPv4\nendpoints: {}\n"), "endpoints: must be a list, not an object");
}

// Somebody may keep slices of his own; kube-proxy passes them over too.
TEST(DecodeEndpointSlice, WithoutAServiceItIsIgnored) {
  for (const char* metadata : {"{name: web-1}", "{name: web-1, labels: {kubernetes.io/service-name: \"\"}}"}) {
    const Decoded decoded =
        decode("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: " + std::string(metadata) +
               "\naddressType: IPv4\n");
    EXPECT_THAT(complaints(decoded), IsEmpty());
    EXPECT_THAT(decoded.items, IsEmpty());
    EXPECT_EQ(decoded.ignored, 1u);
  }
}

TEST(DecodeEndpointSlice, ABadPortCostsOnlyItself) {
  const Decoded decoded = slice(R"(
addressType: IPv4
ports: [{name: a, port: 8080}, {name: b, port: 0}, {name: c, port: http}, {name: d, protocol: QUIC, port: 443}]
endpoints: [{addresses: [10.0.0.1]}]
)");
  EXPECT_THAT(complaints(decoded),
              ElementsAre(std::string(kObject) + ": ports[1].port: 0: must be between 1 and 65535",
                          std::string(kObject) + ": ports[2].port: http: must be a number, not a string",
                          std::string(kObject) + ": ports[3].protocol: QUIC: must be TCP, UDP or SCTP"));
  const auto used = only<EndpointSlice>(decoded);
  ASSERT_TRUE(used);
  EXPECT_THAT(used->ports, ElementsAre(EndpointPort{"a", Protocol::kTcp, 8080}));
  EXPECT_THAT(addresses(*used), ElementsAre("10.0.0.1"));
}

}  // namespace
}  // namespace fairlead::source
