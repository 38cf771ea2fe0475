// SPDX-License-Identifier: Apache-2.0
//
// Client and server of scripts/bench path: closed loops over the sockets of one thread each, so that what a row
// measures is the way between them as far as a processor can be kept busy with it.

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <map>

#include "tests/bench/path/load.h"
#include "tests/bench/path/serve.h"

namespace {

using namespace fairlead;
using namespace fairlead::bench;

const std::map<std::string, Kind> kKinds{
    {"short-client-closes", Kind::ShortClientCloses},
    {"short-server-closes", Kind::ShortServerCloses},
    {"requests", Kind::Requests},
    {"datagrams", Kind::Datagrams},
    {"short-datagrams", Kind::ShortDatagrams},
    {"download", Kind::Download},
    {"upload", Kind::Upload},
};

// One line of JSON. Streams have bits, all else has questions.
void print(const Result& result) {
  const double seconds = result.took.count();
  boost::json::object line{{"failed", result.failed}, {"seconds", seconds}};
  if (result.bytes) {
    line["bits_per_second"] = static_cast<double>(result.bytes) * 8 / seconds;
  } else {
    line["per_second"] = static_cast<double>(result.times.count()) / seconds;
    line["p50_us"] = result.times.quantile(0.5);
    line["p99_us"] = result.times.quantile(0.99);
  }
  std::cout << boost::json::serialize(line) << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Client and server of scripts/bench path");
  app.require_subcommand(1);
  std::uint16_t port = 0;
  CLI::App* server = app.add_subcommand("serve", "Serve on four ports from PORT on");
  server->add_option("PORT", port)->required();
  LoadOptions options;
  std::string address;
  unsigned seconds = 10;
  CLI::App* load = app.add_subcommand("load", "Load a server, and say in JSON how much it took");
  load->add_option("KIND", options.kind)->required()->transform(CLI::CheckedTransformer(kKinds));
  load->add_option("ADDRESS", address)->required();
  load->add_option("PORT", options.to.port, "The first of the server's")->required();
  load->add_option("--seconds", seconds)->capture_default_str()->check(CLI::Range(1, 3600));
  load->add_option("--sockets", options.sockets)->capture_default_str()->check(CLI::Range(1, 10000));
  CLI11_PARSE(app, argc, argv);
  if (server->parsed()) serve(port);
  const auto parsed = Address::parse(address);
  if (!parsed) die("'" + address + "' is no address");
  options.to.address = *parsed;
  options.duration = std::chrono::seconds(seconds);
  print(run_load(options));
}
