// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/troubles.h"

#include <gmock/gmock.h>

namespace fairlead::source {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TroublesTest : public testing::Test {
 protected:
  std::vector<std::string> current() const {
    std::vector<std::string> texts;
    for (const model::Problem& problem : troubles_.current())
      texts.push_back(problem.to_string());
    return texts;
  }

  std::vector<std::string> told_;
  Troubles troubles_{"https://api",
                     {[this](const model::Problem& problem) { told_.push_back("! " + problem.message); },
                      [this](const model::Problem& problem) { told_.push_back("solved: " + problem.message); }}};
};

TEST_F(TroublesTest, IsAProblemOfTheServerUntilTheResourceIsFollowed) {
  troubles_.set("services", "refused");
  troubles_.set("services", "refused");
  EXPECT_THAT(current(), ElementsAre("https://api: refused"));
  troubles_.set("services", "");
  troubles_.set("services", "");
  EXPECT_THAT(current(), IsEmpty());
  EXPECT_THAT(told_, ElementsAre("! refused", "solved: refused"));
}

TEST_F(TroublesTest, AnotherNameForItSolvesNothing) {
  troubles_.set("services", "reset");
  troubles_.set("services", "refused");
  troubles_.set("services", "reset");
  EXPECT_THAT(current(), ElementsAre("https://api: reset"));
  EXPECT_THAT(told_, ElementsAre("! reset", "! refused"));
  troubles_.set("services", "");
  EXPECT_THAT(told_, ElementsAre("! reset", "! refused", "solved: refused", "solved: reset"));
}

TEST_F(TroublesTest, WhatSeveralHaveIsOverWithTheLast) {
  troubles_.set("services", "refused");
  troubles_.set("nodes", "refused");
  troubles_.set("nodes", "late");
  EXPECT_THAT(current(), ElementsAre("https://api: late", "https://api: refused"));
  troubles_.set("services", "");
  EXPECT_THAT(current(), ElementsAre("https://api: late"));
  EXPECT_THAT(told_, ElementsAre("! refused", "! late"));
  troubles_.set("nodes", "");
  EXPECT_THAT(told_, ElementsAre("! refused", "! late", "solved: late", "solved: refused"));
}

TEST_F(TroublesTest, OfEverOtherWordsOnlySomeAreTold) {
  for (int i = 0; i < 1000; ++i)
    troubles_.set("services", std::to_string(i));
  EXPECT_EQ(told_.size(), Troubles::kMostTold);
  EXPECT_THAT(current(), ElementsAre("https://api: 999"));
  troubles_.set("services", "");
  EXPECT_EQ(told_.size(), 2 * Troubles::kMostTold);
}

}  // namespace
}  // namespace fairlead::source
