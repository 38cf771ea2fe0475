// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/behaviours.h"

namespace fairlead::test::differential {
namespace {

// What a choice adds to the row, and to its name.
struct Choice {
  const char* name;
  const char* text;
};

constexpr Choice kEndpointStates[] = {{"", kReady}, {"", kReady}, {"", kNotReady}, {"", kDraining}, {"", kEnding}};
// Members of a spec; each ends with a comma, because there is one more after them.
constexpr Choice kAffinities[] = {{"", ""}, {"", ""}, {"", ""}, {"-affinity", R"("sessionAffinity": "ClientIP", )"}};
constexpr Choice kExternalPolicies[] = {{"", ""}, {"-etp-local", R"("externalTrafficPolicy": "Local", )"}};
constexpr Choice kInternalPolicies[] = {{"", ""}, {"-itp-local", R"("internalTrafficPolicy": "Local", )"}};
constexpr Choice kRanges[] = {
    {"", ""},
    {"", ""},
    {"-ranges-outside", R"("loadBalancerSourceRanges": ["10.200.0.0/24", "fd00:200::/64"], )"},
    {"-ranges-pods", R"("loadBalancerSourceRanges": ["10.210.0.0/16", "fd00:210::/32"], )"}};
constexpr Choice kTypes[] = {{"", ""}, {"", ""}, {"-node-port", R"("type": "NodePort", )"}};
constexpr Choice kHints[] = {{"", R"({})"},
                             {"", R"({})"},
                             {"", R"({"hints": {"forZones": [{"name": "a"}]}})"},
                             {"", R"({"hints": {"forZones": [{"name": "b"}]}})"}};

class Maker {
 public:
  explicit Maker(Random& random) : random_(&random) {}

  Behaviour make(int number) {
    Behaviour row{.name = "random-" + std::to_string(number)};
    std::string spec = choose(kAffinities, row) + choose(kExternalPolicies, row) + choose(kInternalPolicies, row);
    const std::string type = choose(kTypes, row);
    if (type.empty()) spec += choose(kRanges, row);
    row.service = R"({"spec": {)" + spec + type + R"("publishNotReadyAddresses": false})" +
                  (type.empty() ? "}" : R"(, "status": null})");
    if (spec.find("sessionAffinity") != spec.npos) row.compare = Compare::kNumberOfBackends;
    for (const char* host : {"node1-pod1", "node1-pod2", "node2-pod1", "node2-pod2"})
      if (random_->one_in(2)) row.endpoints.push_back(endpoint(host, row));
    row.frontends.push_back(Frontend::kExternalIp);
    return row;
  }

 private:
  template <std::size_t n>
  std::string choose(const Choice (&choices)[n], Behaviour& row) {
    const Choice& choice = choices[random_->between(0, n - 1)];
    row.name += choice.name;
    return choice.text;
  }

  EndpointSpec endpoint(const char* host, Behaviour& row) {
    const std::string state = choose(kEndpointStates, row), hints = choose(kHints, row);
    // Two objects as one, where both have members.
    std::string patch = state == "{}" ? hints : state;
    if (state != "{}" && hints != "{}") patch = state.substr(0, state.size() - 1) + ", " + hints.substr(1);
    return {host, patch, static_cast<int>(random_->between(1, 2))};
  }

  Random* random_;
};

}  // namespace

std::vector<Behaviour> random_behaviours(Random& random, int count) {
  Maker maker(random);
  std::vector<Behaviour> rows;
  for (int number = 1; number <= count; ++number)
    rows.push_back(maker.make(number));
  return rows;
}

}  // namespace fairlead::test::differential
