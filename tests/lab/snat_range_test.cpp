// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/scenario.h"

// Source ports that flows and the host's own connections could both have.
namespace fairlead::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SnatRange : public Scenario {};

TEST_F(SnatRange, OfTheHostsOwnConnectionsIsAProblemUntilItIsReserved) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  add_daemon(1, {.more = {{"--snat-port-range", "40000-49983"}}});
  put({}, {backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  const std::string what = "--snat-port-range: 40000-49983: the host's own connections leave from 32768-60999";
  EXPECT_THAT(problems(), ElementsAre(HasSubstr(what)));
  EXPECT_THAT(daemon().log(), HasSubstr(what));
  ASSERT_TRUE(lab_->run_in(lab_->node(1),
                           {"sh", "-c", "echo 40000-44999,45000-50000 >/proc/sys/net/ipv4/ip_local_reserved_ports"}));
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); })) << testing::PrintToString(problems());
  EXPECT_THAT(daemon().log(), HasSubstr("solved: " + what));
}

}  // namespace
}  // namespace fairlead::test
