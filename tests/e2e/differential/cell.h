// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/e2e/differential/objects.h"
#include "tests/support/socket.h"

namespace fairlead::test::differential {

// One way to ask one service.
struct Cell {
  std::string behaviour;
  Client client;
  Frontend frontend;
  Transport transport;
  Family family;
  Endpoint to;
  unsigned endpoints;  // that there are
  Compare compare;

  // "plain/outside/node-port/tcp/ipv4"
  std::string name() const;
  // Equal for cells in which what one connection meets is remembered for the next; empty where nothing is.
  std::string group() const;

 private:
  std::string last_parts() const;
};

// All cells of these rows. Node ports are asked at node1, whose second addresses are given.
std::vector<Cell> cells_of(const std::vector<Row>& rows, const Lab& lab, const Address& second4,
                           const Address& second6);

const Host& host_of(Client client, const Lab& lab);

}  // namespace fairlead::test::differential
