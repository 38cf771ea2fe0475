// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/problem_log.h"

#include <gmock/gmock.h>

#include <vector>

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Turn = ProblemLog::Turn;

class ProblemLogTest : public testing::Test {
 protected:
  static model::Problem problem(int number, const std::string& field) {
    return {"", "Service default/s" + std::to_string(number), field, "", "is not honoured"};
  }
  static std::string line(int number, const std::string& field) { return problem(number, field).to_string(); }

  std::vector<std::string> lines_;
  ProblemLog log_{[this](Turn, const std::string& line) { lines_.push_back(line); }};
  ProblemLog::Time now_{std::chrono::hours(1)};
};

TEST_F(ProblemLogTest, TellsAFewOfAFieldAndHowManyMore) {
  for (int i = 0; i < 1000; ++i)
    log_.tell(Turn::kCameUp, problem(i, "spec.sessionAffinity"), now_);
  log_.tell(Turn::kCameUp, problem(1, "spec.ports[0].port"), now_);
  EXPECT_THAT(lines_, ElementsAre(line(0, "spec.sessionAffinity"), line(1, "spec.sessionAffinity"),
                                  line(2, "spec.sessionAffinity"), line(1, "spec.ports[0].port")));
  lines_.clear();
  log_.tick(now_ + ProblemLog::kWhile - std::chrono::seconds(1));
  EXPECT_THAT(lines_, IsEmpty());
  log_.tick(now_ + ProblemLog::kWhile);
  EXPECT_THAT(lines_, ElementsAre("and 997 more about spec.sessionAffinity; lbctl problems lists them"));
}

TEST_F(ProblemLogTest, TellsWhatIsSolvedApart) {
  for (int i = 0; i < 4; ++i)
    log_.tell(Turn::kCameUp, problem(i, "spec.type"), now_);
  lines_.clear();
  for (int i = 0; i < 5; ++i)
    log_.tell(Turn::kSolved, problem(i, "spec.type"), now_);
  EXPECT_THAT(lines_, SizeIs(3));
  EXPECT_EQ(lines_.front(), "solved: " + line(0, "spec.type"));
  lines_.clear();
  log_.tick(now_ + ProblemLog::kWhile);
  EXPECT_THAT(lines_,
              ElementsAre("and 1 more about spec.type; lbctl problems lists them", "solved: 2 more about spec.type"));
}

// Who looks at the log later sees what happens then.
TEST_F(ProblemLogTest, TellsInFullAgainAfterAWhile) {
  for (int i = 0; i < 4; ++i)
    log_.tell(Turn::kCameUp, problem(i, "spec.type"), now_);
  now_ += ProblemLog::kWhile;
  lines_.clear();
  log_.tell(Turn::kCameUp, problem(9, "spec.type"), now_);
  EXPECT_THAT(lines_, ElementsAre("and 1 more about spec.type; lbctl problems lists them", line(9, "spec.type")));
}

}  // namespace
}  // namespace fairlead::daemon
