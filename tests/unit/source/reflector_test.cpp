// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace fairlead::source {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Change = kube::Listener::Change;

json::value service(const char* name, const char* version, int port) {
  return {{"metadata", {{"name", name}, {"namespace", "default"}, {"resourceVersion", version}, {"uid", "u"}}},
          {"spec", {{"clusterIP", "10.96.0.1"}, {"ports", json::array{{{"port", port}}}}}}};
}

json::value broken(const char* name, const char* version) {
  json::value object = service(name, version, 80);
  object.at("spec").as_object()["type"] = "X";
  return object;
}

class ReflectorTest : public testing::Test {
 protected:
  // Each service's name and port.
  std::vector<std::string> stored() const {
    std::vector<std::string> result;
    for (const auto& [name, one] : store_.services())
      result.push_back(name.name + ":" + std::to_string(one->ports.at(0).port));
    return result;
  }
  void list(const std::vector<json::value>& objects) {
    reflector_.list_begun();
    for (const json::value& object : objects)
      reflector_.listed(object);
    reflector_.list_complete();
  }
  bool changed(const json::value& object) { return reflector_.changed(Change::kAddedOrModified, object); }
  bool deleted(const json::value& object) { return reflector_.changed(Change::kDeleted, object); }

  model::Store store_;
  int told_ = 0;
  std::vector<std::string> problems_;
  std::string trouble_;
  Reflector reflector_{kService,
                       store_,
                       {[this] { ++told_; },
                        [this](const model::Problem& problem, const model::Name&, const std::string&) {
                          problems_.push_back(problem.to_string());
                        },
                        [this](const model::Problem& problem) { std::erase(problems_, problem.to_string()); },
                        [this](const std::string& message) { trouble_ = message; }}};
};

TEST_F(ReflectorTest, ChangesNothingBeforeAListIsComplete) {
  list({service("a", "1", 80), service("b", "2", 80)});
  reflector_.list_begun();
  reflector_.listed(service("c", "3", 80));
  EXPECT_THAT(stored(), ElementsAre("a:80", "b:80"));
  EXPECT_EQ(told_, 1);
}

TEST_F(ReflectorTest, AListThatWasBegunAnewCountsAlone) {
  reflector_.list_begun();
  reflector_.listed(service("a", "1", 80));
  list({service("b", "2", 80)});
  EXPECT_THAT(stored(), ElementsAre("b:80"));
}

TEST_F(ReflectorTest, AListReplacesWhatWasThere) {
  list({service("a", "1", 80), service("b", "2", 80)});
  list({service("b", "5", 81), service("c", "4", 80)});
  EXPECT_THAT(stored(), ElementsAre("b:81", "c:80"));
  EXPECT_EQ(told_, 2);
}

TEST_F(ReflectorTest, TellsOfAnEmptyListOnce) {
  list({});
  EXPECT_TRUE(reflector_.has_listed());
  EXPECT_EQ(told_, 1);
  list({});
  EXPECT_EQ(told_, 1);
}

TEST_F(ReflectorTest, FollowsEvents) {
  list({service("a", "1", 80)});
  EXPECT_TRUE(changed(service("b", "2", 80)));
  EXPECT_TRUE(changed(service("a", "3", 81)));
  EXPECT_THAT(stored(), ElementsAre("a:81", "b:80"));
  EXPECT_TRUE(deleted(service("b", "4", 80)));
  EXPECT_THAT(stored(), ElementsAre("a:81"));
}

TEST_F(ReflectorTest, EventsThatAreToldTwiceChangeNothing) {
  list({service("a", "1", 80)});
  changed(service("a", "3", 81));
  changed(service("b", "4", 80));
  const int told = told_;
  EXPECT_TRUE(changed(service("b", "4", 80)));
  EXPECT_TRUE(changed(service("a", "3", 81)));
  EXPECT_TRUE(deleted(service("a", "2", 80)));  // of an earlier life
  EXPECT_EQ(told_, told);
  EXPECT_THAT(stored(), ElementsAre("a:81", "b:80"));
}

TEST_F(ReflectorTest, LateNewsOfAnObjectThatIsHeldCounts) {
  list({service("a", "1", 80), service("b", "1", 80)});
  EXPECT_TRUE(changed(service("a", "6", 81)));
  EXPECT_TRUE(changed(service("b", "5", 81)));
  EXPECT_TRUE(deleted(service("b", "5", 81)));
  EXPECT_THAT(stored(), ElementsAre("a:81"));
}

TEST_F(ReflectorTest, LateNewsOfAnObjectThatMayBeGoneAsksForAList) {
  list({service("a", "1", 80)});
  EXPECT_TRUE(deleted(service("a", "6", 80)));
  EXPECT_FALSE(changed(service("a", "5", 81)));
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(ReflectorTest, AnObjectThatCannotBeReadStaysAsItWas) {
  list({service("a", "1", 80)});
  changed(broken("a", "2"));
  EXPECT_THAT(stored(), ElementsAre("a:80"));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("Service default/a: spec.type: X")));
  EXPECT_TRUE(reflector_.unread().empty());
  changed(service("a", "3", 81));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(stored(), ElementsAre("a:81"));
}

TEST_F(ReflectorTest, SaysOfWhichServiceItHasNoVersion) {
  EXPECT_TRUE(reflector_.unread().anything);
  list({broken("a", "1")});
  EXPECT_TRUE(reflector_.has_listed());
  EXPECT_EQ(reflector_.unread(), (Unread{false, {{"default", "a"}}}));
  deleted(broken("a", "2"));
  EXPECT_TRUE(reflector_.unread().empty());
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(told_, 2);
}

// The label that says whose slice it is may be taken away.
TEST_F(ReflectorTest, AnObjectThatIsNoneForAProxyAnyMoreGoes) {
  Reflector slices{kEndpointSlice, store_, {[] {}, [](const auto&...) {}, [](const auto&) {}, [](const auto&) {}}};
  json::value slice = json::parse(R"({"addressType": "IPv4", "metadata": {"name": "web-1", "namespace": "default",
      "resourceVersion": "1", "labels": {"kubernetes.io/service-name": "web"}}})");
  slices.list_begun();
  slices.listed(slice);
  slices.list_complete();
  ASSERT_EQ(store_.slices().size(), 1u);
  slice.at("metadata").as_object().erase("labels");
  slice.at("metadata").as_object()["resourceVersion"] = "2";
  EXPECT_TRUE(slices.changed(Change::kAddedOrModified, slice));
  EXPECT_THAT(store_.slices(), IsEmpty());
  EXPECT_TRUE(slices.unread().empty());
}

TEST_F(ReflectorTest, TroubleIsPassedOn) {
  reflector_.trouble("connect to api: refused");
  EXPECT_EQ(trouble_, "connect to api: refused");
  reflector_.trouble("");
  EXPECT_EQ(trouble_, "");
  EXPECT_THAT(problems_, IsEmpty());
}

}  // namespace
}  // namespace fairlead::source
