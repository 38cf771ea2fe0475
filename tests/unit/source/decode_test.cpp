// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>

#include "tests/support/random.h"
#include "tests/unit/source/decoding.h"

namespace fairlead::source {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> keys(const Decoded& decoded) {
  std::vector<std::string> result;
  for (const Item& item : decoded.items)
    result.push_back(item.key.to_string());
  return result;
}

TEST(Decode, OtherKindsAreIgnoredAndNamed) {
  const Decoded decoded = decode(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: a lot}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: web}
---
# nothing
---
apiVersion: v1
kind: PodList
items: [{metadata: {name: a}}]
)");
  EXPECT_THAT(complaints(decoded),
              ElementsAre("Deployment: apps/v1: is of no kind that lbd reads, and ignored",
                          "Service: serving.knative.dev/v1: is of no kind that lbd reads, and ignored",
                          "PodList: v1: is of no kind that lbd reads, and ignored"));
  EXPECT_THAT(decoded.items, IsEmpty());
  EXPECT_EQ(decoded.ignored, 3u);
}

TEST(Decode, AKindOfOursInAVersionThatIsNotIsReported) {
  const Decoded decoded = decode(R"(
apiVersion: discovery.k8s.io/v1beta1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
---
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
)");
  EXPECT_THAT(complaints(decoded),
              ElementsAre("EndpointSlice default/web-1: apiVersion: discovery.k8s.io/v1beta1: must be "
                          "discovery.k8s.io/v1",
                          "Service default/web: apiVersion: must be v1"));
  EXPECT_THAT(keys(decoded), ElementsAre("EndpointSlice default/web-1", "Service default/web"));
  for (const Item& item : decoded.items)
    EXPECT_TRUE(item.value.empty());
}

TEST(Decode, ListsAreTakenApart) {
  const Decoded decoded = decode(R"({"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}},
    {"apiVersion": "v1", "kind": "ServiceList", "items": [
      {"metadata": {"name": "b", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}},
      {"metadata": {"name": "c"}, "spec": {"ports": [{"port": "x"}]}}]},
    {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSliceList", "items": null},
    {"apiVersion": "v1", "kind": "Pod"}, 5]})");
  EXPECT_THAT(keys(decoded), ElementsAre("Service default/a", "Service shop/b", "Service default/c"));
  EXPECT_EQ(decoded.ignored, 1u);
  EXPECT_EQ(decoded.nameless, 1u);
  ASSERT_EQ(decoded.problems.size(), 3u);
  EXPECT_EQ(decoded.problems[0].to_string(),
            "document 1, item 2, item 2: Service default/c: spec.ports[0].port: x: must be a number, not a string");
  EXPECT_EQ(decoded.problems[1].to_string(), "document 1, item 4: Pod: v1: is of no kind that lbd reads, and ignored");
  EXPECT_EQ(decoded.problems[2].to_string(), "document 1, item 5: 5: must be an object, not a number");
}

TEST(Decode, ObjectsThatCannotBeNamedAreCounted) {
  const Decoded decoded = decode(R"(
- a list
---
kind: [Service]
---
apiVersion: v1
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {labels: {app: web}}
---
apiVersion: v1
kind: Service
metadata: {name: Web Shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: 5}
---
apiVersion: v1
kind: Service
metadata: web
)");
  EXPECT_THAT(
      complaints(decoded),
      ElementsAre("[\"a list\"]: must be an object, not a list", "kind: [\"Service\"]: must be a string, not a list",
                  "kind: is missing", "Service: metadata.name: is missing",
                  "Service: metadata.name: Web Shop: must consist of lower-case letters, digits, '-' and '.'",
                  "Service: metadata.namespace: 5: must be a string, not a number",
                  "Service: metadata: web: must be an object, not a string"));
  EXPECT_EQ(decoded.nameless, 7u);
  EXPECT_THAT(decoded.items, IsEmpty());
}

TEST(Decode, AnObjectOfAKnownKindNeedsNoKind) {
  Decoded decoded;
  decode_object(kNode, json::parse(R"({"metadata": {"name": "node-a"}})"), "list", decoded);
  decode_object(kService, json::value(nullptr), "list", decoded);
  EXPECT_THAT(keys(decoded), ElementsAre("Node node-a"));
  EXPECT_EQ(decoded.nameless, 1u);
}

// Objects with every field that is read, so that every read meets every type.
json::value samples() {
  return json::parse(R"({"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Service",
     "metadata": {"name": "web", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-01-02T03:04:05Z",
                  "labels": {"service.kubernetes.io/service-proxy-name": "other"}},
     "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.10", "clusterIPs": ["10.96.0.10", "fd00::a"],
              "externalIPs": ["203.0.113.7"],
              "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}],
              "externalTrafficPolicy": "Local", "internalTrafficPolicy": "Cluster",
              "loadBalancerSourceRanges": ["10.0.0.0/8"], "sessionAffinity": "ClientIP",
              "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}},
     "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.20", "ipMode": "VIP"}]}}},
    {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
     "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web", "service.kubernetes.io/headless": "a"},
                  "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "t"}},
     "addressType": "IPv4", "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
     "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true, "serving": true, "terminating": false},
                    "nodeName": "n", "zone": "z", "hints": {"forZones": [{"name": "z"}], "forNodes": [{"name": "n"}]}}]},
    {"apiVersion": "v1", "kind": "Node",
     "metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "z"}, "deletionTimestamp": "t"},
     "spec": {"taints": [{"key": "k"}]},
     "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}]})");
}

void for_each_place(json::value& value, const std::function<void(json::value&)>& visit) {
  if (auto* array = value.if_array())
    for (json::value& item : *array)
      for_each_place(item, visit);
  if (auto* object = value.if_object())
    for (auto& member : *object)
      for_each_place(member.value(), visit);
  visit(value);
}

json::array of_every_type() {
  json::array values{nullptr, true, 0, -1, 65536, 1e300, std::uint64_t(-1), 0.5, "", "x", std::string(1000, '\xc3')};
  values.emplace_back(std::string("a\0b", 3));
  values.emplace_back(json::array());
  values.emplace_back(json::array{json::array{json::array{}}});
  values.emplace_back(json::array{nullptr, 1, "x"});
  values.emplace_back(json::object());
  values.emplace_back(json::object{{"name", json::object()}, {"", 1}});
  return values;
}

// Every object ends up somewhere: in the items, among the ignored or among those without a name.
void expect_accounted_for(const Decoded& decoded, const json::value& document) {
  for (const Item& item : decoded.items) {
    if (!item.value.empty()) continue;
    EXPECT_THAT(decoded.problems, testing::Contains(testing::Field(&model::Problem::object, item.key.to_string())))
        << json::serialize(document);
  }
  EXPECT_TRUE(decoded.nameless == 0 || !decoded.problems.empty()) << json::serialize(document);
}

TEST(Decode, SurvivesEveryTypeInEveryPlace) {
  json::value document = samples();
  ASSERT_THAT(complaints([&] {
                Decoded decoded;
                decode_document(document, "", decoded);
                return decoded;
              }()),
              IsEmpty());
  std::size_t tried = 0, complained = 0;
  for_each_place(document, [&](json::value& place) {
    const json::value original = place;
    for (const json::value& other : of_every_type()) {
      place = other;
      Decoded decoded;
      decode_document(document, "", decoded);
      expect_accounted_for(decoded, document);
      ++tried;
      complained += !decoded.problems.empty();
    }
    place = original;
  });
  EXPECT_GT(tried, 1000u);
  EXPECT_GT(complained, tried / 2) << "most of these values fit nowhere";
}

TEST(Decode, SurvivesManyMistakesAtOnce) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  const json::array values = of_every_type();
  for (int i = 0; i < 2000; ++i) {
    json::value document = samples();
    for_each_place(document, [&](json::value& place) {
      if (random.one_in(30)) place = random.any_of(values);
    });
    Decoded decoded;
    decode_document(document, "", decoded);
    expect_accounted_for(decoded, document);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace fairlead::source
