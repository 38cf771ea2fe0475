// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "tests/e2e/following.h"

// Whatever the way to the API server does to answers: in the end lbd serves exactly what there is, and until then it
// asks with moderation.
namespace fairlead::test {
namespace {

struct Fault {
  const char* name;
  boost::json::object rule;
  bool lists = false;  // meets lists instead of watches
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << fault.name;
}

class FaultsTest : public Following, public testing::WithParamInterface<Fault> {
 protected:
  static constexpr int kServices = 30;

  // Services that differ from round to round: in number, ports and endpoints.
  std::string objects(int round) const {
    std::ostringstream text;
    for (int i = 0; i < kServices; ++i) {
      if ((i + round) % 5 == 0) continue;
      text << "---\napiVersion: v1\nkind: Service\nmetadata: {name: s" << i
           << "}\nspec:\n  type: " << ((i + round) % 3 ? "ClusterIP" : "NodePort")
           << "\n  ports: [{port: " << 80 + (i + round) % 4 << "}]\n"
           << "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
           << "metadata: {name: s" << i << ", labels: {kubernetes.io/service-name: s" << i << "}}\n"
           << "addressType: IPv4\nports: [{name: '', port: 8080}]\nendpoints:\n";
      for (int endpoint = 0; endpoint <= (i * 7 + round) % 4; ++endpoint)
        text << "- {addresses: [10.20." << i << "." << endpoint + round + 1 << "]}\n";
    }
    return text.str();
  }

  void turn(int round) const {
    ASSERT_NO_FATAL_FAILURE(apply(objects(round)));
    std::vector<std::string> gone{"delete", "--namespace", name_space(), "--ignore-not-found"};
    for (int i = 0; i < kServices; ++i)
      if ((i + round) % 5 == 0)
        for (const char* kind : {"service/s", "endpointslice/s"})
          gone.push_back(kind + std::to_string(i));
    const auto deleted = plane().kubectl(gone);
    ASSERT_TRUE(deleted) << deleted.error().message;
  }

  // Requests so far for Services and EndpointSlices.
  unsigned requests() {
    unsigned sum = 0;
    for (const bool watch : {false, true})
      for (const char* path : {kServicesPath, kSlicesPath})
        if (const auto traffic = proxy().traffic_to(path, watch)) sum += traffic->total;
    return sum;
  }
};

TEST_P(FaultsTest, StateIsExactAfterwards) {
  ASSERT_NO_FATAL_FAILURE(turn(0));
  ASSERT_NO_FATAL_FAILURE(start());
  for (const char* path : {kServicesPath, kSlicesPath}) {
    boost::json::object rule = GetParam().rule;
    rule["path"] = path;
    rule["watch"] = !GetParam().lists;
    ASSERT_NO_FATAL_FAILURE(add_rule(rule));
    if (!GetParam().lists) continue;
    // There is a list when a watch is told that its place is forgotten.
    ASSERT_NO_FATAL_FAILURE(add_rule({{"path", path}, {"watch", true}, {"fault", "expired"}, {"count", 1}}));
  }
  const unsigned before = requests();
  ASSERT_TRUE(proxy().disconnect());
  ASSERT_NO_FATAL_FAILURE(turn(1));
  ASSERT_NO_FATAL_FAILURE(turn(2));
  // Two tries a second and resource at the worst, and turning took less than half a minute.
  EXPECT_LT(requests() - before, 240u);
  unsigned met = 0;
  EXPECT_TRUE(eventually(kSoon, [&] {
    for (const char* path : {kServicesPath, kSlicesPath})
      if (const auto traffic = proxy().traffic_to(path, !GetParam().lists)) met += traffic->faults;
    return met > 0;
  }));
  ASSERT_TRUE(proxy().clear());
  expect_exact(std::chrono::seconds(60));
  EXPECT_TRUE(daemon().is_running());
}

INSTANTIATE_TEST_SUITE_P(
    Watch, FaultsTest,
    testing::Values(Fault{"garbage", {{"fault", "garbage"}, {"after_events", 3}}},
                    Fault{"truncate", {{"fault", "truncate"}, {"after_events", 3}}},
                    Fault{"cut", {{"fault", "cut"}, {"after_events", 2}}},
                    Fault{"expired", {{"fault", "expired"}, {"after_events", 2}}},
                    Fault{"duplicate", {{"fault", "duplicate"}}}, Fault{"reorder", {{"fault", "reorder"}}},
                    Fault{"stall", {{"fault", "stall"}, {"after_events", 2}}},
                    Fault{"delay", {{"fault", "delay"}, {"delay_ms", 2000}}},
                    Fault{"throttled", {{"fault", "status"}, {"status", 429}, {"retry_after", 1}, {"count", 3}}},
                    Fault{"unauthorized", {{"fault", "status"}, {"status", 401}, {"count", 3}}},
                    Fault{"unavailable", {{"fault", "status"}, {"status", 503}, {"count", 3}}},
                    Fault{"gone", {{"fault", "status"}, {"status", 410}, {"count", 3}}}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    List, FaultsTest,
    testing::Values(Fault{"garbage", {{"fault", "garbage"}, {"after_bytes", 500}, {"count", 2}}, true},
                    Fault{"truncate", {{"fault", "truncate"}, {"after_bytes", 2000}, {"count", 2}}, true},
                    Fault{"cut", {{"fault", "cut"}, {"after_bytes", 2000}, {"count", 2}}, true},
                    Fault{"throttled", {{"fault", "status"}, {"status", 429}, {"retry_after", 1}, {"count", 3}}, true},
                    Fault{"unavailable", {{"fault", "status"}, {"status", 500}, {"count", 3}}, true},
                    Fault{"gone", {{"fault", "status"}, {"status", 410}, {"count", 3}}, true}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fairlead::test
