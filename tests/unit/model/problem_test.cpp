// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/problem.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

TEST(Problem, ReadsFromTheOutsideToTheInside) {
  const Problem problem{"web.yaml, document 2", "Service default/web", "spec.ports[0].port", "0",
                        "must be between 1 and 65535"};
  EXPECT_EQ(problem.to_string(),
            "web.yaml, document 2: Service default/web: spec.ports[0].port: 0: must be between 1 and 65535");
}

TEST(Problem, LeavesOutWhatThereIsNot) {
  EXPECT_EQ((Problem{"", "Service default/web", "", "", "is already there"}).to_string(),
            "Service default/web: is already there");
  EXPECT_EQ((Problem{"web.yaml", "", "", "", "is empty"}).to_string(), "web.yaml: is empty");
}

}  // namespace
}  // namespace fairlead::model
