// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/differential/cell.h"
#include "tests/e2e/differential/objects.h"
#include "tests/e2e/differential/proxy.h"
#include "tests/e2e/differential/verdict.h"

namespace fairlead::test::differential {

// A lab with a control plane that holds the rows' objects, and the servers behind them.
class World {
 public:
  static Result<std::unique_ptr<World>> make(std::vector<Behaviour> behaviours);

  const std::vector<Cell>& cells() const { return cells_; }
  // Runs a proxy ("nftables" and "iptables" are kube-proxy, "lbd" is lbd) on all nodes and looks at all cells.
  Result<Observations> observe(const std::string& proxy) const;

 private:
  World(Lab lab, std::vector<Row> rows) : lab_(std::move(lab)), rows_(std::move(rows)) {}
  Result<> add_addresses() const;
  Result<> serve();
  Result<> start_control_plane();
  Result<> create_objects() const;
  std::unique_ptr<Proxy> make_proxy(const std::string& name) const;

  Lab lab_;
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
  std::list<Process> servers_;
  std::unique_ptr<ControlPlane> plane_;
  std::string our_kubeconfig_, their_kubeconfig_;  // paths
};

}  // namespace fairlead::test::differential
