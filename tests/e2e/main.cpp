// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/stage.h"

namespace fairlead::test {

class StageEnvironment : public testing::Environment {
 public:
  void TearDown() override { Stage::end(); }
};

}  // namespace fairlead::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new fairlead::test::StageEnvironment);
  if (const int status = RUN_ALL_TESTS()) return status;
  // ctest is told of skips by this status, so that they don't hide a failure beside them.
  constexpr int kSkipped = 77;
  return testing::UnitTest::GetInstance()->skipped_test_count() > 0 ? kSkipped : 0;
}
