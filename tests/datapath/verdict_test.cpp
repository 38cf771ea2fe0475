// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <cstring>
#include <map>
#include <set>

#include "tests/datapath/rows.h"
#include "userspace/datapath/counters.h"

namespace fairlead::test {
namespace {

struct Case {
  Row row;
  Family family;

  friend void PrintTo(const Case& test, std::ostream* out) { *out << test.row.name; }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& rows : {forward_rows(), reply_rows(), fragment_rows(), icmp_rows(), answer_rows(), drop_rows(),
                           header_rows(), frame_rows(), source_rows()})
    for (const Row& row : rows) {
      if (row.families != Families::kIpv6) all.push_back({row, Family::IPv4});
      if (row.families != Families::kIpv4) all.push_back({row, Family::IPv6});
    }
  return all;
}

std::string kind_of(const std::string& verdict) {
  for (const auto& info : datapath::verdict_infos())
    if (info.name == verdict) return info.kind;
  return "";
}

int action_of(const Row& row) {
  const std::string kind = kind_of(row.verdict);
  if (kind == "pass") return row.hook == LB_HOOK_XDP ? static_cast<int>(XDP_PASS) : TC_ACT_UNSPEC;
  if (kind == "drop") return row.hook == LB_HOOK_XDP ? static_cast<int>(XDP_DROP) : TC_ACT_SHOT;
  if (row.action >= 0) return row.action;
  return row.hook == LB_HOOK_XDP ? static_cast<int>(XDP_TX) : TC_ACT_REDIRECT;
}

class VerdictTest : public Scene, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make(GetParam().family);
  }
};

TEST_P(VerdictTest, Row) {
  const Row& row = GetParam().row;
  const Sent sent = row.send(*this);
  const Outcome outcome = run(row.hook, sent);
  EXPECT_EQ(outcome.verdict, row.verdict);
  EXPECT_EQ(outcome.action, action_of(row));
  if (kind_of(row.verdict) == "drop") return;
  if (!row.expected) {
    EXPECT_EQ(outcome.frame, sent.bytes) << to_string(outcome.packet);
    return;
  }
  const Packet expected = row.expected(*this, sent.packet, outcome.packet);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.packet, expected) << to_string(outcome.packet) << "\n  but expected\n" << to_string(expected);
}

INSTANTIATE_TEST_SUITE_P(, VerdictTest, testing::ValuesIn(cases()), [](const auto& info) {
  return std::string(info.param.row.name) + "_" + hosts(info.param.family).family;
});

// Each row asserts its own verdict, so one that stands here is one that was seen.
TEST(Verdicts, EachHasARowOrAReasonToHaveNone) {
  const std::map<std::string, const char*> kWithoutRow = {};
  std::set<std::string> seen;
  for (const Case& test : cases())
    seen.insert(test.row.verdict);
  for (const auto& info : datapath::verdict_infos())
    EXPECT_NE(seen.contains(info.name), kWithoutRow.contains(info.name)) << info.name;
}

TEST(Verdicts, RowsHaveNamesOfTheirOwn) {
  std::set<std::pair<std::string, Family>> names;
  for (const Case& test : cases())
    EXPECT_TRUE(names.emplace(test.row.name, test.family).second) << test.row.name;
}

}  // namespace
}  // namespace fairlead::test
