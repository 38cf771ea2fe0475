// SPDX-License-Identifier: Apache-2.0
#include "tests/support/client.h"

#include <signal.h>

#include <boost/json.hpp>
#include <exception>

namespace fairlead::test {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

// The last line of a client: its report. Its exit status only says whether anything failed.
Result<json::object> report_of(Process& client, std::chrono::milliseconds deadline) {
  if (!client.wait(deadline)) return Error{"fairlead-peer does not end: " + client.out() + client.err(), ETIMEDOUT};
  std::string out = client.out();
  if (out.ends_with('\n')) out.pop_back();
  boost::system::error_code error;
  json::value value = json::parse(out.substr(out.rfind('\n') + 1), error);
  if (error || !value.is_object()) return Error{"no report of fairlead-peer: " + out + client.err(), EBADMSG};
  return std::move(value.as_object());
}

HeldConnection held_connection(const json::object& object) {
  const json::value& broken = object.at("broken");
  return {json::value_to<std::uint16_t>(object.at("local_port")), json::value_to<std::string>(object.at("server")),
          json::value_to<unsigned>(object.at("answers")),
          broken.is_null() ? "" : json::value_to<std::string>(broken.at("why"))};
}

}  // namespace

Result<AskReport> ask_many(const Lab& lab, const Host& from, Transport transport, const Endpoint& to,
                           const AskPlan& plan) {
  auto client =
      lab.start_peer(from, {"ask", transport == Transport::Tcp ? "--tcp" : "--udp", to.to_string(), "--count",
                            std::to_string(plan.count), "--parallel", std::to_string(plan.parallel), "--size",
                            std::to_string(plan.size), "--timeout", std::to_string(plan.timeout.count()), "--json"});
  if (!client) return client.error();
  const auto report = report_of(*client, seconds(60));
  if (!report) return report.error();
  return AskReport{json::value_to<unsigned>(report->at("answered")), json::value_to<unsigned>(report->at("failed")),
                   json::value_to<Counts>(report->at("servers")), json::value_to<Counts>(report->at("failures")),
                   json::value_to<Counts>(report->at("seen_as"))};
}

Result<Listening> Listening::start(const Lab& lab, const Host& from, const Endpoint& to) {
  auto client = lab.start_peer(from, {"listen", to.to_string()});
  if (!client) return client.error();
  if (const auto ready = client->wait_for_line("ready", seconds(30)); !ready) return ready.error();
  return Listening(std::move(*client));
}

Result<Listening::Report> Listening::finish() {
  process_.signal(SIGTERM);
  const auto report = report_of(process_, seconds(60));
  if (!report) return report.error();
  return Report{json::value_to<unsigned>(report->at("connections")), json::value_to<Counts>(report->at("broken"))};
}

Result<Hold> Hold::start(const Lab& lab, const Host& from, const Endpoint& to, unsigned connections, const Plan& plan) {
  std::vector<std::string> arguments{"hold",
                                     to.to_string(),
                                     "--for",
                                     "600",
                                     "--interval",
                                     std::to_string(plan.interval.count()),
                                     "--timeout",
                                     std::to_string(plan.timeout.count()),
                                     "--json",
                                     "--connections",
                                     std::to_string(connections)};
  if (plan.transport == Transport::Udp) arguments.push_back("--udp");
  if (plan.idle) arguments.push_back("--idle");
  auto client = lab.start_peer(from, arguments);
  if (!client) return client.error();
  const auto ready = client->wait_for_line("ready", seconds(30));
  if (!ready) return ready.error();
  if (*ready != json::serialize(json::object{{"ready", connections}}))
    return Error{"not all connections to " + to.to_string() + " came about: " + *ready, ECONNREFUSED};
  return Hold(std::move(*client));
}

Result<std::vector<HeldConnection>> Hold::finish() {
  process_.signal(SIGTERM);
  const auto report = report_of(process_, seconds(60));
  if (!report) return report.error();
  std::vector<HeldConnection> connections;
  for (const json::value& one : report->at("details").as_array())
    connections.push_back(held_connection(one.as_object()));
  return connections;
}

}  // namespace fairlead::test
