// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>

#include "tests/support/peer/peer.h"

namespace fairlead::peer {
namespace {

Endpoint endpoint_or_throw(const std::string& text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) throw CLI::ValidationError("'" + text + "' is not [ADDR:]PORT");
  return *endpoint;
}

CLI::Option* add_milliseconds(CLI::App* app, const std::string& name, std::chrono::milliseconds& value,
                              const std::string& help) {
  return app->add_option_function<unsigned>(
      name, [&value](const unsigned& count) { value = std::chrono::milliseconds(count); },
      help + " (default " + std::to_string(value.count()) + ")");
}

CLI::Option* add_endpoint(CLI::App* app, const std::string& name, Endpoint& value, const std::string& help) {
  return app->add_option_function<std::string>(
      name, [&value](const std::string& text) { value = endpoint_or_throw(text); }, help);
}

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* command = app.add_subcommand(
      "serve", "Answer each line and datagram with what was seen of it, as JSON; and HTTP with the name");
  command->add_option("--name", options.name, "How this server calls itself")->required();
  const auto add_listener = [command](const std::string& name, std::vector<Endpoint>& to) {
    command->add_option_function<std::vector<std::string>>(
        name,
        [&to](const std::vector<std::string>& texts) {
          for (const std::string& text : texts)
            to.push_back(endpoint_or_throw(text));
        },
        "[ADDR:]PORT to listen on; can be repeated");
  };
  add_listener("--tcp", options.tcp);
  add_listener("--udp", options.udp);
}

void add_ask(CLI::App& app, AskOptions& options) {
  CLI::App* command = app.add_subcommand("ask", "Send requests, each from a new socket, and count the answers");
  CLI::Option* tcp = add_endpoint(command, "--tcp", options.to, "ADDR:PORT to ask by TCP");
  CLI::Option* udp = command->add_option_function<std::string>(
      "--udp",
      [&options](const std::string& text) {
        options.to = endpoint_or_throw(text);
        options.protocol = Protocol::Udp;
      },
      "ADDR:PORT to ask by UDP");
  tcp->excludes(udp);
  command->add_option("--count", options.count, "Requests")->capture_default_str();
  command->add_option("--parallel", options.parallel, "Requests under way at once")->capture_default_str();
  command->add_option("--size", options.size, "Bytes of a request, at least (the answer holds them too)");
  add_milliseconds(command, "--timeout", options.timeout, "Milliseconds to wait for an answer");
  command->add_flag("--json", options.json, "Report as one line of JSON");
  command->callback([tcp, udp] {
    if (!*tcp && !*udp) throw CLI::RequiredError("--tcp or --udp");
  });
}

void add_hold(CLI::App& app, HoldOptions& options) {
  CLI::App* command = app.add_subcommand("hold", "Keep connections in use and report each that breaks");
  add_endpoint(command, "to", options.to, "ADDR:PORT")->required();
  command->add_flag_callback(
      "--udp", [&options] { options.protocol = Protocol::Udp; }, "UDP sockets rather than TCP connections");
  command->add_option("--connections", options.connections, "How many")->capture_default_str();
  command->add_option_function<double>(
      "--for",
      [&options](const double& seconds) {
        options.duration = std::chrono::milliseconds(static_cast<long>(seconds * 1000));
      },
      "Seconds (default 1); SIGTERM ends it early, with a report");
  add_milliseconds(command, "--interval", options.interval, "Milliseconds between the requests of a connection");
  command->add_flag("--idle", options.idle, "No requests but one when it begins and one when it ends");
  add_milliseconds(command, "--timeout", options.timeout, "Milliseconds without answer that count as broken");
  command->add_flag("--json", options.json, "Report as one line of JSON");
}

void add_listen(CLI::App& app, ListenOptions& options) {
  CLI::App* command = app.add_subcommand(
      "listen", "Make connections on which the server speaks, until SIGTERM, and report as JSON how many broke");
  add_endpoint(command, "to", options.to, "ADDR:PORT")->required();
  command->add_option("--lines", options.lines, "Lines that each asks for")->capture_default_str();
  add_milliseconds(command, "--pause", options.pause, "Milliseconds between them");
  add_milliseconds(command, "--every", options.every, "Milliseconds between two connections");
  add_milliseconds(command, "--timeout", options.timeout, "Milliseconds without a line that count as broken");
}

void add_probe(CLI::App& app, ProbeOptions& options) {
  CLI::App* command = app.add_subcommand("probe", "Try many targets and say of each who answered, or how it refused");
  command->add_option("plan", options.plan, "File with a JSON object a line: id, protocol, to, tries, enough, group")
      ->required();
  command
      ->add_option("--parallel", options.parallel,
                   "Tries that are busy at once; those that wait for the end of silence are not")
      ->capture_default_str();
  add_milliseconds(command, "--timeout", options.timeout, "Milliseconds that are taken for silence");
}

void add_flood(CLI::App& app, FloodOptions& options) {
  CLI::App* command =
      app.add_subcommand("flood", "Send SYNs or datagrams from addresses that nobody has, until SIGTERM");
  add_endpoint(command, "to", options.to, "ADDR:PORT, IPv4")->required();
  command->add_flag_callback("--udp", [&options] { options.protocol = Protocol::Udp; }, "Datagrams rather than SYNs");
  command->add_option("--rate", options.rate, "Packets a second; 0: as many as go out")->capture_default_str();
}

// The usual soft limit of 1024 descriptors is few connections.
void allow_many_sockets() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(int argc, char** argv) {
  allow_many_sockets();
  CLI::App app{"fairlead-peer: servers and clients to try a load balancer with"};
  app.require_subcommand(1);
  ServeOptions serve_options;
  AskOptions ask_options;
  HoldOptions hold_options;
  ListenOptions listen_options;
  ProbeOptions probe_options;
  FloodOptions flood_options;
  add_serve(app, serve_options);
  add_ask(app, ask_options);
  add_hold(app, hold_options);
  add_listen(app, listen_options);
  add_probe(app, probe_options);
  add_flood(app, flood_options);
  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand("serve")) return serve(serve_options);
  if (app.got_subcommand("ask")) return ask(ask_options);
  if (app.got_subcommand("listen")) return listen(listen_options);
  if (app.got_subcommand("probe")) return probe(probe_options);
  if (app.got_subcommand("flood")) return flood(flood_options);
  return hold(hold_options);
}

}  // namespace
}  // namespace fairlead::peer

int main(int argc, char** argv) {
  try {
    return fairlead::peer::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "fairlead-peer: " << error.what() << "\n";
    return 2;
  }
}
