// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/snat_range.h"

#include <gmock/gmock.h>

// Ports that lbd and the host's own connections would both take.
namespace fairlead::daemon {
namespace {

using host::LocalPorts;
using host::PortSpan;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LocalPorts, AreReadAsTheKernelWritesThem) {
  const auto usual = host::parse_local_ports("32768\t60999\n", "\n");
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->range, (PortSpan{32768, 60999}));
  EXPECT_THAT(usual->reserved, IsEmpty());
  const auto reserved = host::parse_local_ports("1024\t65535\n", "8080,10400-29599\n");
  ASSERT_TRUE(reserved);
  EXPECT_THAT(reserved->reserved, ElementsAre(PortSpan{8080, 8080}, PortSpan{10400, 29599}));
  for (const auto& [range, list] : {std::pair("", ""), {"x y", ""}, {"1 2", "3-"}, {"1 2", "1-2-3"}, {"1 2", "70000"}})
    EXPECT_FALSE(host::parse_local_ports(range, list)) << range << "|" << list;
  EXPECT_TRUE(host::read_local_ports());
}

TEST(LocalPorts, SayWhichOfASpanAreTheirs) {
  const LocalPorts local{{1000, 2000}, {{1200, 1299}, {1301, 1301}}};
  EXPECT_THAT(local.among({100, 999}), IsEmpty());
  EXPECT_THAT(local.among({2001, 65535}), IsEmpty());
  EXPECT_THAT(local.among({1250, 1290}), IsEmpty());
  EXPECT_THAT(local.among({900, 1302}), ElementsAre(PortSpan{1000, 1199}, PortSpan{1300, 1300}, PortSpan{1302, 1302}));
  EXPECT_THAT((LocalPorts{{1, 65535}, {}}.among({60000, 65535})), ElementsAre(PortSpan{60000, 65535}));
}

TEST(SnatRange, IsNoProblemBesideTheHostsPortsOrAmongTheReserved) {
  EXPECT_EQ(snat_range_problem({10400, 29599}, {{32768, 60999}, {}}), "");
  EXPECT_EQ(snat_range_problem({10400, 29599}, {{1024, 65535}, {{10000, 30000}}}), "");
}

TEST(SnatRange, IsAProblemThatNamesBothRanges) {
  EXPECT_THAT(snat_range_problem({10400, 29599}, {{1024, 65535}, {{10400, 19999}}}),
              HasSubstr("--snat-port-range: 10400-29599: the host's own connections leave from 1024-65535 "
                        "(net.ipv4.ip_local_port_range), so some of those from 20000-29599 to backends will break"));
}

}  // namespace
}  // namespace fairlead::daemon
