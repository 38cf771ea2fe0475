// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/survey.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>
#include <sstream>

#include "tests/support/process.h"

namespace fairlead::test::differential {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kPatience{180};
// The kernel sends a SYN again after a second: an answer to that one counts as late, not as silence.
constexpr const char* kSilence = "2500";

// So many that one of ten million cells misses a backend, when each is as likely as the others.
unsigned tries_for(unsigned endpoints) {
  constexpr unsigned kTries[] = {4, 4, 24, 42, 60};
  return kTries[std::min(endpoints, 4U)];
}

std::string line_for(std::size_t id, const Cell& cell) {
  const std::string protocol = cell.transport == Transport::Tcp ? "tcp" : "udp";
  json::object line{{"id", id},
                    {"protocol", protocol},
                    {"to", cell.to.to_string()},
                    {"tries", tries_for(cell.endpoints)},
                    {"enough", cell.endpoints}};
  if (const std::string group = cell.group(); !group.empty()) line["group"] = group;
  return json::serialize(line) + "\n";
}

// A client's part of the cells.
class Part {
 public:
  Part(const Lab& lab, Client client) : lab_(&lab), host_(&host_of(client, lab)) {}

  void add(std::size_t id, const Cell& cell) { plan_ += line_for(id, cell); }

  Result<> start(unsigned parallel) {
    const std::string path = lab_->node(1).run + "/plan-of-" + host_->name;
    std::ofstream(path, std::ios::trunc) << plan_;
    auto prober =
        lab_->start_peer(*host_, {"probe", path, "--parallel", std::to_string(parallel), "--timeout", kSilence});
    if (!prober) return prober.error();
    prober_.emplace(std::move(*prober));
    return {};
  }

  Result<std::string> finish() {
    const auto status = prober_->wait(kPatience);
    if (!status) return Error{"probing from " + host_->name + " takes too long", ETIMEDOUT};
    if (*status != 0) return Error{"probing from " + host_->name + ": " + prober_->err(), *status};
    return prober_->out();
  }

 private:
  const Lab* lab_;
  const Host* host_;
  std::string plan_;
  std::optional<Process> prober_;
};

class Survey {
 public:
  Survey(const std::vector<Cell>& cells, const Lab& lab) : cells_(&cells), lab_(&lab), observations_(cells.size()) {}

  const Observations& observations() const { return observations_; }

  // From all clients at once.
  Result<> look_at(const std::vector<std::size_t>& which, unsigned parallel) {
    std::map<Client, Part> parts;
    for (const std::size_t i : which) {
      const Client client = cells_->at(i).client;
      parts.try_emplace(client, *lab_, client).first->second.add(i, cells_->at(i));
    }
    for (auto& [client, part] : parts)
      if (auto started = part.start(parallel); !started) return started;
    for (auto& [client, part] : parts) {
      const auto reports = part.finish();
      if (!reports) return reports.error();
      note(*reports);
    }
    return {};
  }

 private:
  void note(const std::string& reports) {
    std::istringstream lines(reports);
    for (std::string line; std::getline(lines, line);) {
      const json::value report = json::parse(line);
      const auto id = json::value_to<std::size_t>(report.at("id"));
      observations_.at(id) = observed(report.as_object(), cells_->at(id), *lab_);
    }
  }

  const std::vector<Cell>* cells_;
  const Lab* lab_;
  Observations observations_;
};

}  // namespace

Result<Observations> survey(const std::vector<Cell>& cells, const Lab& lab) {
  Survey survey(cells, lab);
  std::vector<std::size_t> all(cells.size()), again;
  std::iota(all.begin(), all.end(), 0);
  if (auto looked = survey.look_at(all, 24); !looked) return looked.error();
  for (const std::size_t i : all)
    if (survey.observations()[i].is_mixed()) again.push_back(i);
  std::cout << "  " << again.size() << " of " << cells.size() << " cells looked at again" << std::endl;
  if (auto looked = survey.look_at(again, 4); !looked) return looked.error();
  Observations observations = survey.observations();
  share_backends(cells, observations);
  return observations;
}

}  // namespace fairlead::test::differential
