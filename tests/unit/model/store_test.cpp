// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Name kWeb{"default", "web"};
const Name kApi{"default", "api"};

std::shared_ptr<const Service> service(const Name& name, std::uint16_t port = 80) {
  Service service;
  service.name = name;
  service.ports = {{"", Protocol::kTcp, port, 0}};
  return std::make_shared<const Service>(service);
}

std::shared_ptr<const EndpointSlice> slice(const std::string& name, const Name& of, const char* address = "10.0.0.1") {
  EndpointSlice slice;
  slice.name = {of.space, name};
  slice.service = of;
  slice.endpoints.emplace_back().address = Address::literal(address);
  return std::make_shared<const EndpointSlice>(slice);
}

std::set<Name> changed(Store& store) {
  return store.take_changed().services;
}

TEST(Store, RemembersWhatChangedUntilAsked) {
  Store store;
  EXPECT_TRUE(store.put(service(kWeb)));
  EXPECT_TRUE(store.put(service(kApi)));
  EXPECT_THAT(changed(store), ElementsAre(kApi, kWeb));
  EXPECT_TRUE(store.take_changed().empty());
}

TEST(Store, EqualObjectsChangeNothing) {
  Store store;
  store.put(service(kWeb));
  store.put(slice("web-1", kWeb));
  store.take_changed();
  EXPECT_FALSE(store.put(service(kWeb)));
  EXPECT_FALSE(store.put(slice("web-1", kWeb)));
  EXPECT_TRUE(store.take_changed().empty());
  EXPECT_TRUE(store.put(service(kWeb, 81)));
  EXPECT_THAT(changed(store), ElementsAre(kWeb));
  EXPECT_EQ(store.service(kWeb)->ports[0].port, 81);
}

TEST(Store, CountsWritesOfEachKind) {
  Store store;
  store.put(service(kWeb));
  store.put(service(kWeb, 81));
  store.put(service(kWeb, 81));
  store.put(slice("web-1", kWeb));
  store.remove_slice({"default", "web-1"});
  store.remove_slice({"default", "web-1"});
  store.remove_service(kWeb);
  const Store::Changed changed = store.take_changed();
  EXPECT_EQ(changed.service_writes, 3U);
  EXPECT_EQ(changed.slice_writes, 2U);
  EXPECT_EQ(store.take_changed().service_writes, 0U);
}

TEST(Store, KeepsTheObjectThatSomebodyHolds) {
  Store store;
  store.put(service(kWeb));
  const auto held = store.services().at(kWeb);
  store.put(service(kWeb, 81));
  EXPECT_EQ(held->ports[0].port, 80);
}

TEST(Store, ASliceChangesItsService) {
  Store store;
  store.put(service(kWeb));
  store.take_changed();
  store.put(slice("web-1", kWeb));
  EXPECT_THAT(changed(store), ElementsAre(kWeb));
  EXPECT_EQ(store.slices_of(kWeb).size(), 1u);
  EXPECT_TRUE(store.remove_slice({"default", "web-1"}));
  EXPECT_THAT(changed(store), ElementsAre(kWeb));
  EXPECT_THAT(store.slices_of(kWeb), IsEmpty());
}

TEST(Store, ASliceThatMovesChangesBothServices) {
  Store store;
  store.put(slice("one", kWeb));
  store.take_changed();
  store.put(slice("one", kApi));
  EXPECT_THAT(changed(store), ElementsAre(kApi, kWeb));
  EXPECT_THAT(store.slices_of(kWeb), IsEmpty());
  EXPECT_EQ(store.slices_of(kApi).size(), 1u);
  EXPECT_EQ(store.slices().size(), 1u);
}

TEST(Store, SlicesMayComeBeforeTheirServiceAndStayAfterIt) {
  Store store;
  store.put(slice("web-1", kWeb));
  store.put(service(kWeb));
  EXPECT_TRUE(store.remove_service(kWeb));
  EXPECT_EQ(store.service(kWeb), nullptr);
  EXPECT_EQ(store.slices_of(kWeb).size(), 1u);
}

TEST(Store, RemovingWhatIsNotThereChangesNothing) {
  Store store;
  EXPECT_FALSE(store.remove_service(kWeb));
  EXPECT_FALSE(store.remove_slice(kWeb));
  EXPECT_FALSE(store.set_node(nullptr));
  EXPECT_TRUE(store.take_changed().empty());
}

TEST(Store, TheNodeIsAChangeOfItsOwn) {
  Store store;
  Node node;
  node.name = "edge";
  EXPECT_TRUE(store.set_node(std::make_shared<const Node>(node)));
  EXPECT_FALSE(store.set_node(std::make_shared<const Node>(node)));
  const auto changes = store.take_changed();
  EXPECT_TRUE(changes.node);
  EXPECT_THAT(changes.services, IsEmpty());
  EXPECT_TRUE(store.set_node(nullptr));
  EXPECT_TRUE(store.take_changed().node);
}

}  // namespace
}  // namespace fairlead::model
