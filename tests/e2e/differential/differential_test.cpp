// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/e2e/differential/world.h"
#include "tests/support/content.h"

// One table of Service behaviours, asked for from everywhere in every way, once of the real kube-proxy and once of lbd.
// Where they differ the ledger says why, or it is a mistake.
namespace fairlead::test::differential {
namespace {

constexpr int kRandomRows = 12;

std::ofstream report_file(const std::string& name) {
  std::filesystem::create_directories(FAIRLEAD_DIFFERENTIAL_REPORTS);
  return std::ofstream(std::string(FAIRLEAD_DIFFERENTIAL_REPORTS) + "/" + name, std::ios::trunc);
}

// What all tests look at: observing takes minutes, so it is done once.
struct Evidence {
  Random random;
  std::vector<LedgerEntry> ledger;
  std::unique_ptr<World> world;
  std::map<std::string, Observations> observations;  // by proxy
  std::vector<Verdict> verdicts;
};

class Differential : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (missing()) return;
    evidence_ = std::make_unique<Evidence>();
    gather(*evidence_);
  }

  static void TearDownTestSuite() { evidence_.reset(); }

  void SetUp() override {
    if (const auto reason = missing()) GTEST_SKIP() << *reason;
    ASSERT_EQ(evidence_->verdicts.size(), 2U) << "nothing was observed";
  }

  static const Evidence& evidence() { return *evidence_; }

  static void expect_explained(const Verdict& verdict) {
    std::string text;
    for (const std::string& difference : verdict.unexplained_differences())
      text += "\n" + difference;
    EXPECT_EQ(verdict.unexplained, 0U) << verdict.summary() << text << "\n" << evidence().random.seed_text();
  }

 private:
  static std::optional<std::string> missing() {
    const auto oldest = missing_for_kubernetes(kOldestKubernetes);
    if (oldest && missing_for_kubernetes(kNewestKubernetes)) return oldest;
    for (const char* program : {"nft", "iptables", "ip6tables", "conntrack"})
      if (!run({program, "--version"}, std::chrono::seconds(5)))
        return "kube-proxy needs '" + std::string(program) + "'";
    return std::nullopt;
  }

  static void gather(Evidence& evidence) {
    std::vector<Behaviour> rows = behaviours();
    const std::vector<Behaviour> more = random_behaviours(evidence.random, kRandomRows);
    rows.insert(rows.end(), more.begin(), more.end());
    auto ledger = parse_ledger(content_of(FAIRLEAD_DIFFERENTIAL_LEDGER));
    ASSERT_TRUE(ledger) << ledger.error().message;
    evidence.ledger = std::move(*ledger);
    auto world = World::make(rows);
    ASSERT_TRUE(world) << world.error().message;
    evidence.world = std::move(*world);
    for (const char* proxy : {"nftables", "iptables", "lbd"}) {
      auto observed = evidence.world->observe(proxy);
      ASSERT_TRUE(observed) << observed.error().message;
      evidence.observations[proxy] = std::move(*observed);
    }
    compare(evidence);
  }

  static void compare(Evidence& evidence) {
    const std::vector<Cell>& cells = evidence.world->cells();
    for (const char* proxy : {"nftables", "iptables"}) {
      evidence.verdicts.push_back(
          judge(proxy, cells, evidence.observations[proxy], evidence.observations["lbd"], evidence.ledger));
      std::ofstream file = report_file(std::string(proxy) + ".txt");
      evidence.verdicts.back().print(file);
      std::cout << evidence.verdicts.back().summary() << std::endl;
    }
    std::ofstream file = report_file("observations.txt");
    file << evidence.random.seed_text() << "\n";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      file << cells[i].name() << "\n";
      for (const auto& [proxy, observations] : evidence.observations)
        file << "  " << proxy << ": " << observations[i].to_string() << "\n";
    }
  }

  static inline std::unique_ptr<Evidence> evidence_;
};

TEST_F(Differential, NothingUnexplainedBesideNftables) {
  expect_explained(evidence().verdicts[0]);
}

TEST_F(Differential, NothingUnexplainedBesideIptables) {
  expect_explained(evidence().verdicts[1]);
}

// What was built or mended leaves the ledger.
TEST_F(Differential, EveryLedgerEntryHasItsCells) {
  std::set<const LedgerEntry*> used;
  for (const Verdict& verdict : evidence().verdicts)
    for (const Finding& finding : verdict.findings)
      used.insert(finding.entry);
  for (const LedgerEntry& entry : evidence().ledger)
    EXPECT_TRUE(used.contains(&entry)) << "ledger, line " << entry.line
                                       << " matches no difference any more: " << entry.pattern << " | " << entry.aspect;
}

}  // namespace
}  // namespace fairlead::test::differential
