// SPDX-License-Identifier: Apache-2.0
// What is asked of a server, and what a listener is told, whatever the server answers.
#include "userspace/kube/api/list_watch.h"

#include <gmock/gmock.h>

#include "tests/unit/kube/access/awaiting.h"
#include "tests/unit/kube/api/scripted_transport.h"
#include "userspace/kube/api/json_text.h"

namespace fairlead::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// What was told, as words.
class Heard : public Listener {
 public:
  void list_begun() override { words.push_back("begun"); }
  void listed(const boost::json::value& object) override { words.push_back("listed " + name_of(object)); }
  void list_complete() override { words.push_back("complete"); }
  bool changed(Change change, const boost::json::value& object) override {
    words.push_back((change == Change::kDeleted ? "deleted " : "changed ") + name_of(object));
    return name_of(object) != contradicting;
  }
  void trouble(const std::string& message) override {
    words.push_back(message.empty() ? "well" : "trouble");
    if (!message.empty()) troubles.push_back(message);
  }

  std::vector<std::string> words, troubles;
  std::string contradicting;

 private:
  static std::string name_of(const boost::json::value& object) { return text_at(object, "/metadata/name"); }
};

Reply list(const std::string& version, const std::string& names = "", const std::string& next = "") {
  std::string items;
  for (const char name : names)
    items += std::string(items.empty() ? "" : ",") + R"({"metadata":{"name":")" + name + R"("}})";
  return {.pieces = {R"({"metadata":{"resourceVersion":")" + version + R"(","continue":")" + next + R"("},"items":[)",
                     items + "]}"}};
}

std::string event(const std::string& type, const std::string& name, const std::string& version) {
  return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name + R"(","resourceVersion":")" + version +
         R"("}}})";
}
std::string error_event(int code) {
  return R"({"type":"ERROR","object":{"code":)" + std::to_string(code) + R"(,"message":"too old"}})";
}
Reply watch(std::vector<std::string> pieces) {
  return {.pieces = std::move(pieces)};
}
Reply refusal(unsigned status) {
  return {.status = status, .pieces = {R"({"message":"not now"})"}};
}

class ListWatchTest : public testing::Test {
 protected:
  // Until everything is answered, and asked once more.
  void run(std::deque<Reply> replies, Resource resource = {"/api/v1/services", "", ""}) {
    script_.replies = std::move(replies);
    boost::asio::io_context io;
    ListWatch list_watch(io.get_executor(), std::make_unique<ScriptedTransport>(io, script_), std::move(resource),
                         heard_, timing_);
    spawn(io, list_watch.run());
    io.run_for(seconds(20));
    EXPECT_TRUE(script_.replies.empty());
  }
  // "list" with how old it may be, "list part" with its token, either "whole", or "watch" with its version.
  std::vector<std::string> asked() const {
    std::vector<std::string> texts;
    for (const Asked& one : script_.asked)
      texts.push_back(short_text(one.target));
    return texts;
  }
  // Between one question and the next.
  std::vector<milliseconds> waits() const {
    std::vector<milliseconds> waits;
    for (std::size_t i = 1; i < script_.asked.size(); ++i)
      waits.push_back(std::chrono::duration_cast<milliseconds>(script_.asked[i].at - script_.asked[i - 1].at));
    return waits;
  }

  Heard heard_;
  Script script_;
  ListWatch::Timing timing_{{milliseconds(1), milliseconds(2)}, seconds(150), seconds(60), seconds(300)};

 private:
  static std::string parameter(const std::string& target, const std::string& name) {
    const auto at = target.find(name + "=");
    if (at == std::string::npos) return "";
    return target.substr(at + name.size() + 1, target.find('&', at) - at - name.size() - 1);
  }
  static std::string short_text(const std::string& target) {
    if (!parameter(target, "watch").empty()) return "watch " + parameter(target, "resourceVersion");
    const std::string part = parameter(target, "continue"), version = parameter(target, "resourceVersion");
    EXPECT_EQ(parameter(target, "resourceVersionMatch"), version.empty() ? "" : "NotOlderThan");
    return std::string(parameter(target, "limit").empty() ? "list whole" : "list") +
           (part.empty() ? "" : " part " + part) + (version.empty() ? "" : " " + version);
  }
};

TEST_F(ListWatchTest, AListInPartsIsOneList) {
  run({list("10", "ab", "x"), list("12", "c", "y"), list("14", "d")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "list part x", "list part y", "watch 14"));
  EXPECT_THAT(heard_.words, ElementsAre("begun", "listed a", "listed b", "listed c", "listed d", "complete"));
}

TEST_F(ListWatchTest, AsksForWhatIsSelected) {
  run({list("10"), watch({})}, {"/api/v1/nodes", "app=web,!no", "metadata.name=node1"});
  ASSERT_EQ(script_.asked.size(), 3u);
  const std::string selectors = "labelSelector=app=web,!no&fieldSelector=metadata.name=node1&";
  EXPECT_EQ(script_.asked[0].target,
            "/api/v1/nodes?" + selectors + "limit=500&resourceVersion=0&resourceVersionMatch=NotOlderThan");
  EXPECT_THAT(script_.asked[1].target, testing::StartsWith("/api/v1/nodes?" + selectors + "watch=true&"));
  EXPECT_THAT(script_.asked[1].target, HasSubstr("&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds="));
}

TEST_F(ListWatchTest, AWatchIsToLastAsLongAsIsSaidAndUpToTwiceAsLong) {
  run({list("10"), watch({}), watch({}), watch({}), watch({})});
  for (std::size_t i = 1; i < script_.asked.size(); ++i) {
    const std::string& target = script_.asked[i].target;
    const int length = std::stoi(target.substr(target.find("timeoutSeconds=") + 15));
    EXPECT_TRUE(300 <= length && length <= 600) << target;
  }
}

TEST_F(ListWatchTest, ReadsWithPatienceAndNotForEver) {
  run({list("10"), watch({event("ADDED", "a", "11")})});
  EXPECT_THAT(script_.patience, ElementsAre(seconds(60), seconds(60), seconds(60), seconds(150), seconds(150)));
}

TEST_F(ListWatchTest, AWatchThatEndsGoesOnWhereItWas) {
  run({list("10", "a"), watch({event("MODIFIED", "a", "11") + event("DELETED", "a", "12")}),
       watch({event("ADDED", "b", "15")})});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 12", "watch 15"));
  EXPECT_THAT(heard_.words,
              ElementsAre("begun", "listed a", "complete", "well", "changed a", "deleted a", "well", "changed b"));
}

TEST_F(ListWatchTest, EventsMayComeInAnyPieces) {
  const std::string text = event("ADDED", "a", "11") + "\n" + event("ADDED", "b", "12") + "\n";
  std::vector<std::string> letters;
  for (const char letter : text)
    letters.emplace_back(1, letter);
  run({list("10"), watch(letters)});
  EXPECT_THAT(heard_.words, ElementsAre("begun", "complete", "well", "changed a", "changed b"));
}

TEST_F(ListWatchTest, ABookmarkIsAPlaceToGoOnFromAndNoChange) {
  run({list("10"), watch({event("BOOKMARK", "", "40")})});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 40"));
  EXPECT_THAT(heard_.words, ElementsAre("begun", "complete", "well"));
}

TEST_F(ListWatchTest, AnOlderEventIsNoPlaceToGoOnFrom) {
  run({list("10"), watch({event("ADDED", "a", "20"), event("ADDED", "b", "9")})});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 20"));
}

class Forgotten : public ListWatchTest, public testing::WithParamInterface<int> {};

TEST_P(Forgotten, APlaceIsFoundAnewByAListWhenTheWatchIsRefused) {
  run({list("10"), refusal(static_cast<unsigned>(GetParam())), list("90")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "list 10", "watch 90"));
  EXPECT_THAT(heard_.troubles,
              ElementsAre(testing::AllOf(HasSubstr("watch of /api/v1/services: " + std::to_string(GetParam())),
                                         EndsWith(": not now"))));
}

TEST_P(Forgotten, AFirstPartThatIsRefusedIsAskedForInPartsAgain) {
  run({refusal(static_cast<unsigned>(GetParam())), list("90")});
  const char* again = GetParam() == 400 ? "list" : "list 0";
  EXPECT_THAT(asked(), ElementsAre("list 0", again, "watch 90"));
}

// As after etcd was restored from a backup: what is known is not in memory, and may never be again.
TEST_P(Forgotten, AListThatIsNotToBeHadFromMemoryIsAskedOfEtcd) {
  const auto refused = refusal(static_cast<unsigned>(GetParam()));
  run({list("50"),
       watch({error_event(410)}),
       refused,
       {.unreachable = "no route"},
       list("20"),
       watch({error_event(410)}),
       list("30")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 50", "list 50", "list", "list", "watch 20", "list 20", "watch 30"));
}

INSTANTIATE_TEST_SUITE_P(, Forgotten, testing::Values(400, 410, 504));

TEST_F(ListWatchTest, APlaceThatTheStreamSaysIsForgottenIsFoundAnewByAList) {
  for (const int code : {410, 504}) {
    script_ = {};
    run({list("10"), watch({event("ADDED", "a", "11"), error_event(code) + event("ADDED", "b", "12")}), list("90")});
    EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "list 11", "watch 90")) << code;
  }
  EXPECT_THAT(heard_.troubles, Each("watch of /api/v1/services: too old"));
  EXPECT_THAT(heard_.words, Not(testing::Contains("changed b"))) << "what comes after the error has no meaning";
}

TEST_F(ListWatchTest, AnotherErrorInTheStreamForgetsNothing) {
  run({list("10"), watch({event("ADDED", "a", "11"), error_event(500)})});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 11"));
  EXPECT_THAT(heard_.troubles, ElementsAre("watch of /api/v1/services: too old"));
  EXPECT_EQ(script_.closed, 1) << "the rest of the answer is not read";
}

TEST_F(ListWatchTest, ARefusedWatchThatHasForgottenNothingIsAskedAgain) {
  run({list("10"), refusal(503), refusal(401)});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 10", "watch 10"));
  EXPECT_THAT(heard_.words, ElementsAre("begun", "complete", "trouble", "trouble"));
}

// As with many objects and little memory of the server.
TEST_F(ListWatchTest, AListWhosePartsExpireIsAskedForWhole) {
  run({list("10", "ab", "x"), refusal(410), list("12", "ab"), watch({error_event(410)}), list("20")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "list part x", "list whole 0", "watch 12", "list 12", "watch 20"));
  EXPECT_EQ(std::count(heard_.words.begin(), heard_.words.end(), "complete"), 2);
}

TEST_F(ListWatchTest, AListThatIsCutOffDoesNotCount) {
  Reply cut = list("10", "ab");
  cut.pieces.pop_back();
  Reply lost = cut;
  lost.cut = "reset by peer";
  Reply garbage = cut;
  garbage.pieces.push_back("}}}");
  run({cut, lost, garbage, {.unreachable = "no route"}, list("20", "c")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "list 0", "list 0", "list 0", "list 0", "watch 20"));
  EXPECT_THAT(heard_.words, ElementsAre("begun", "trouble", "begun", "trouble", "begun", "trouble", "begun", "trouble",
                                        "begun", "listed c", "complete"));
  EXPECT_EQ(heard_.troubles[1], "reset by peer");
  EXPECT_EQ(heard_.troubles[3], "no route");
}

TEST_F(ListWatchTest, AListThatIsLostBetweenItsPartsIsBegunAnew) {
  run({list("10", "a", "x"), {.unreachable = "no route"}, list("11", "b")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "list part x", "list 0", "watch 11"));
  EXPECT_THAT(heard_.words, ElementsAre("begun", "listed a", "trouble", "begun", "listed b", "complete"));
}

TEST_F(ListWatchTest, AWatchThatIsCutOffGoesOnAfterTheLastWholeEvent) {
  const std::string one = event("ADDED", "a", "11"), half = event("ADDED", "b", "12").substr(0, 30);
  Reply lost = watch({one});
  lost.cut = "reset by peer";
  run({list("10"), watch({one, half}), lost, {.unreachable = "no route"}, watch({"nonsense"})});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 11", "watch 11", "watch 11", "watch 11"));
  ASSERT_EQ(heard_.troubles.size(), 4u);
  EXPECT_EQ(heard_.troubles[0], "watch of /api/v1/services: cut off in the middle of an event");
  EXPECT_EQ(heard_.troubles[1], "reset by peer");
  EXPECT_EQ(heard_.troubles[2], "no route");
}

TEST_F(ListWatchTest, WhatIsNoEventIsTroubleAndNoPlaceToGoOnFrom) {
  run({list("10"), watch({R"({"type":"ADDED"})"}), watch({R"({"type":"ADDED","object":3})"}),
       watch({R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})"})});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 10", "watch 10", "watch 10"));
  ASSERT_EQ(heard_.troubles.size(), 3u);
  EXPECT_THAT(heard_.troubles[0], HasSubstr("no event: "));
  EXPECT_THAT(heard_.troubles[2], HasSubstr("without metadata.resourceVersion"));
  EXPECT_THAT(heard_.words, Not(testing::Contains(testing::StartsWith("changed"))));
}

TEST_F(ListWatchTest, WhoContradictsIsToldEverythingAnew) {
  heard_.contradicting = "b";
  run({list("10"), watch({event("ADDED", "a", "11") + event("ADDED", "b", "12")}), list("20")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "list 11", "watch 20"));
  EXPECT_THAT(heard_.troubles, ElementsAre("watch of /api/v1/services: events are not in order"));
}

// Each wait is at least half of what it may be; what it may be doubles.
TEST_F(ListWatchTest, WaitsLongerAfterEachFailure) {
  timing_.backoff = {milliseconds(20), milliseconds(80)};
  run({{.unreachable = "1"}, {.unreachable = "2"}, {.unreachable = "3"}, {.unreachable = "4"}});
  const auto waited = waits();
  ASSERT_EQ(waited.size(), 4u);
  for (const auto& [wait, least] : {std::pair(waited[0], 10), {waited[1], 20}, {waited[2], 40}, {waited[3], 40}})
    EXPECT_GE(wait, milliseconds(least));
}

// An empty answer at once, again and again, is a failure too.
TEST_F(ListWatchTest, WaitsLongerAfterEachWatchThatEndsAtOnce) {
  timing_.backoff = {milliseconds(20), milliseconds(80)};
  run({list("10"), watch({}), watch({}), watch({})});
  const auto waited = waits();
  ASSERT_EQ(waited.size(), 4u);
  for (const auto& [wait, least] : {std::pair(waited[1], 10), {waited[2], 20}, {waited[3], 40}})
    EXPECT_GE(wait, milliseconds(least));
}

// Else the last would be waited for half a minute at least.
TEST_F(ListWatchTest, WaitsAreShortAgainAfterAnEvent) {
  timing_.backoff = {milliseconds(1), std::chrono::hours(1)};
  std::deque<Reply> replies{list("10")};
  for (int i = 11; i < 28; ++i)
    replies.push_back(watch({event("ADDED", "a", std::to_string(i))}));
  run(replies);
  EXPECT_EQ(asked().back(), "watch 27");
}

TEST_F(ListWatchTest, WaitsAsLongAsTheServerSays) {
  Reply busy = refusal(429);
  busy.retry_after = seconds(1);
  run({busy, list("10")});
  EXPECT_GE(waits()[0], seconds(1));
  EXPECT_THAT(asked(), ElementsAre("list 0", "list 0", "watch 10"));
}

// It is the watch that says it: a list may be the last that can be had, and a watch that is let in tells first whether
// its place is known.
TEST_F(ListWatchTest, AllIsWellWhenAWatchStandsAndNotBefore) {
  run({{.unreachable = "no route"},
       list("10"),
       watch({error_event(410)}),
       list("20"),
       watch({event("BOOKMARK", "", "21")})});
  EXPECT_THAT(heard_.words,
              ElementsAre("begun", "trouble", "begun", "complete", "trouble", "begun", "complete", "well"));
}

// Where a test says what happens while something is waited for.
class Interrupted : public ListWatchTest {
 protected:
  void begin(std::deque<Reply> replies) {
    script_.replies = std::move(replies);
    spawn(io_, list_watch_->run());
  }
  void run_until_asked(std::size_t times) {
    EXPECT_TRUE(runs_until(io_, [&] { return script_.asked.size() >= times; })) << script_.asked.size();
  }
  void run_until_told(const std::string& word) {
    EXPECT_TRUE(runs_until(io_, [&] { return !heard_.words.empty() && heard_.words.back() == word; })) << word;
  }
  ListWatch& list_watch() { return *list_watch_; }
  void set_backoff(Backoff::Limits limits) {
    timing_.backoff = limits;
    make();
  }
  void make() {
    list_watch_.emplace(io_.get_executor(), std::make_unique<ScriptedTransport>(io_, script_),
                        Resource{"/api/v1/services", "", ""}, heard_, timing_);
  }
  void SetUp() override { make(); }

  boost::asio::io_context io_;

 private:
  std::optional<ListWatch> list_watch_;
};

TEST_F(Interrupted, AWatchThatHasNothingToSayStands) {
  begin({list("10"), {.pieces = {"\n"}, .silent = true}});
  EXPECT_TRUE(list_watch().behind_since());
  run_until_told("well");
  EXPECT_FALSE(list_watch().behind_since());
}

TEST_F(Interrupted, AWatchIsAskedAgainFromWhereItWas) {
  begin({list("10"), {.pieces = {event("ADDED", "a", "11")}, .silent = true}, watch({event("ADDED", "b", "12")})});
  run_until_told("changed a");
  EXPECT_FALSE(list_watch().behind_since());
  const auto last_heard = Clock::now() - seconds(20);
  list_watch().interrupt("is silent", last_heard);
  EXPECT_EQ(list_watch().behind_since(), last_heard);
  EXPECT_EQ(heard_.troubles, std::vector<std::string>{"is silent"});
  run_until_told("changed b");
  EXPECT_THAT(asked(), ElementsAre("list 0", "watch 10", "watch 11"));
  EXPECT_THAT(heard_.words,
              ElementsAre("begun", "complete", "well", "changed a", "trouble", "trouble", "well", "changed b"));
}

TEST_F(Interrupted, AListIsBegunAnew) {
  begin({{.silent = true}, list("10", "a"), {.pieces = {event("BOOKMARK", "", "12")}, .silent = true}});
  run_until_asked(1);
  list_watch().interrupt("is silent", Clock::now());
  run_until_told("well");
  EXPECT_THAT(heard_.words, ElementsAre("begun", "trouble", "trouble", "begun", "listed a", "complete", "well"));
}

TEST_F(Interrupted, APauseEndsWhenTheServerIsHeardAgain) {
  set_backoff({std::chrono::hours(1), std::chrono::hours(1)});
  begin({{.unreachable = "no route"}, list("10")});
  run_until_told("trouble");
  list_watch().hurry();
  run_until_asked(2);
}

TEST_F(Interrupted, APauseThatTheServerAskedForDoesNot) {
  Reply busy = refusal(429);
  busy.retry_after = seconds(1);
  begin({busy, list("10")});
  run_until_told("trouble");
  list_watch().hurry();
  run_until_asked(2);
  EXPECT_GE(waits()[0], seconds(1));
}

// Each piece is in time, and the list never is.
TEST_F(ListWatchTest, AListThatTricklesIsGivenUp) {
  timing_.list = milliseconds(20);
  Reply trickle = list("10", "a");
  trickle.pieces.insert(trickle.pieces.begin(), 1000, " ");
  trickle.each_after = milliseconds(5);
  run({trickle, list("20", "b")});
  EXPECT_THAT(asked(), ElementsAre("list 0", "list 0", "watch 20"));
  EXPECT_THAT(heard_.troubles, ElementsAre("list of /api/v1/services: takes too long"));
}

}  // namespace
}  // namespace fairlead::kube
