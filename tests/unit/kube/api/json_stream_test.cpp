// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/json_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace fairlead::kube {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kList = R"({
  "kind": "ServiceList", "apiVersion": "v1", "more": [{"items": [1]}, null],
  "metadata": {"resourceVersion": "42", "continue": "to\u006ben", "remainingItemCount": 3},
  "items": [
    {"metadata": {"name": "a", "managedFields": [{"x": {"y": [1, 2]}}], "uid": "1"}, "spec": {"ports": [{"port": 80}]}},
    {"metadata": {"name": "b"}, "managedFields": "kept here", "text": "\u00e4\n", "list": [], "n": [-1, 1.5, true, null]}
  ]
})";

struct Listed {
  std::vector<std::string> items;
  Result<> result;
  std::string version, token;
};

Listed list(std::string_view text, std::size_t piece) {
  Listed listed;
  ListStream stream([&](const json::value& item) { listed.items.push_back(json::serialize(item)); });
  for (std::size_t at = 0; at < text.size() && listed.result; at += piece)
    listed.result = stream.feed(text.substr(at, piece));
  if (listed.result) listed.result = stream.finish();
  listed.version = stream.resource_version();
  listed.token = stream.continue_token();
  return listed;
}

TEST(ListStream, GivesItemsWithoutManagedFieldsWhateverThePieces) {
  for (std::size_t piece = 1; piece <= kList.size(); ++piece) {
    const Listed listed = list(kList, piece);
    ASSERT_TRUE(listed.result) << listed.result.error().message;
    EXPECT_THAT(listed.items, ElementsAre(R"({"metadata":{"name":"a","uid":"1"},"spec":{"ports":[{"port":80}]}})",
                                          "{\"metadata\":{\"name\":\"b\"},\"managedFields\":\"kept "
                                          "here\",\"text\":\"\xc3\xa4\\n\",\"list\":[],\"n\":[-1,1.5E0,true,null]}"));
    EXPECT_EQ(listed.version, "42");
    EXPECT_EQ(listed.token, "token");
  }
}

TEST(ListStream, TakesListsWithoutItems) {
  for (const char* items : {R"(,"items":[])", R"(,"items":null)", ""}) {
    const Listed listed = list(std::string(R"({"metadata":{"resourceVersion":"7"})") + items + "}", 5);
    ASSERT_TRUE(listed.result) << listed.result.error().message;
    EXPECT_THAT(listed.items, IsEmpty());
    EXPECT_EQ(listed.token, "");
  }
}

TEST(ListStream, LeavesOutManagedFieldsThatComeTwice) {
  const Listed listed = list(
      R"({"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"managedFields":null,"name":"a","managedFields":[]}}]})",
      1000);
  EXPECT_THAT(listed.items, ElementsAre(R"({"metadata":{"name":"a"}})"));
}

TEST(ListStream, RefusesWhatIsNoList) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not JSON"},
      {"null", "metadata.resourceVersion is missing"},
      {"[[{}]]", "metadata.resourceVersion is missing"},
      {R"({"metadata":{}})", "metadata.resourceVersion is missing"},
      {R"({"metadata":{"resourceVersion":7}})", "metadata.resourceVersion is missing"},
      {R"({"metadata":{"resourceVersion":"7"},"items":[1]})", "not JSON"},
      {R"({"metadata":{"resourceVersion":"7"},"items":[[]]})", "not JSON"},
      {R"({"metadata":{"resourceVersion":"7"},"items":[{"a":1}, <html>)", "behind 1 items"},
      {R"({"metadata":{"resourceVersion":"7"},"items":[{"a":1}])", "behind 1 items"},
      {R"({"metadata":{"resourceVersion":"7"}} {})", "more behind the list"},
  };
  for (const auto& [text, message] : cases) {
    const Listed listed = list(text, 1000);
    ASSERT_FALSE(listed.result) << text;
    EXPECT_THAT(listed.result.error().message, HasSubstr(message)) << text;
  }
}

TEST(ListStream, TakesThousandsOfItems) {
  std::string text = R"({"metadata":{"resourceVersion":"1"},"items":[)";
  for (int i = 0; i < 3000; ++i)
    text += (i ? "," : "") +
            ("{\"metadata\":{\"name\":\"" + std::string(static_cast<std::size_t>(i) % 50 * 100, 'x') + "\"}}");
  const Listed listed = list(text + "]}", 10'000);
  ASSERT_TRUE(listed.result) << listed.result.error().message;
  EXPECT_EQ(listed.items.size(), 3000u);
}

TEST(ListStream, HoldsNoEndlessObject) {
  ListStream stream([](const json::value&) {});
  ASSERT_TRUE(stream.feed(R"({"items":[{"text":")"));
  const std::string piece(1 << 20, 'x');
  Result<> fed;
  for (int i = 0; i < 40 && fed; ++i)
    fed = stream.feed(piece);
  ASSERT_FALSE(fed);
  EXPECT_THAT(fed.error().message, HasSubstr("longer than"));
}

TEST(WatchStream, GivesEventsWhateverThePieces) {
  const std::string text = "{\"type\":\"ADDED\",\"object\":{\"a\":1}}\n\n {\"type\":\"BOOKMARK\"}\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    std::vector<std::string> events;
    WatchStream stream([&](const json::value& event) { events.push_back(json::serialize(event)); });
    for (std::size_t at = 0; at < text.size(); at += piece)
      ASSERT_TRUE(stream.feed(std::string_view(text).substr(at, piece)));
    EXPECT_THAT(events, ElementsAre(R"({"type":"ADDED","object":{"a":1}})", R"({"type":"BOOKMARK"})"));
    EXPECT_FALSE(stream.in_the_middle());
  }
}

TEST(WatchStream, KnowsWhetherAnEventIsCutOff) {
  int events = 0;
  WatchStream stream([&](const json::value&) { ++events; });
  ASSERT_TRUE(stream.feed(R"({"type":"ADDED","object":{}} {"type":)"));
  EXPECT_EQ(events, 1);
  EXPECT_TRUE(stream.in_the_middle());
}

TEST(WatchStream, RefusesGarbage) {
  WatchStream stream([](const json::value&) {});
  const auto fed = stream.feed("<html>");
  ASSERT_FALSE(fed);
  EXPECT_THAT(fed.error().message, HasSubstr("not JSON"));
}

}  // namespace
}  // namespace fairlead::kube
