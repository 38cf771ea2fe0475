// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/differential/behaviours.h"
#include "tests/support/lab.h"

namespace fairlead::test::differential {

constexpr std::uint16_t kServicePort = 80;

// A row and the addresses that its number gives it, whether a service has them or not.
struct Row {
  Behaviour behaviour;
  int number;  // 10 to 126, no other row has it

  std::string cluster_ip(Family family) const;
  std::string load_balancer_ip(Family family) const;
  std::string external_ip(Family family) const;
  std::uint16_t node_port() const;
};

// Each with a number of its own.
std::vector<Row> numbered(const std::vector<Behaviour>& behaviours);

// As the API server is given it; nothing where the row has none.
std::optional<boost::json::object> service_of(const Row& row);
std::vector<boost::json::object> slices_of(const Row& row, const Lab& lab);

// Which the service has, or would have if there were one.
bool has(const Row& row, Frontend frontend);

// A host of the lab by its name; null if there is none.
const Host* find_host(const Lab& lab, const std::string& name);

}  // namespace fairlead::test::differential
