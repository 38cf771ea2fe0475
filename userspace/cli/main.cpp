// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "userspace/cli/commands.h"
#include "userspace/cli/completion.h"
#include "userspace/cli/unknown_command.h"
#include "userspace/util/output.h"
#include "userspace/util/text.h"
#include "userspace/util/version.h"

namespace {

using namespace fairlead;
using cli::Context;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kUnreachable = 3;

constexpr const char* kFooter =
    "Each command has a --help of its own.\n"
    "\n"
    "Files:\n"
    "  /run/fairlead/lbd.sock  Where lbd listens, to root alone\n"
    "\n"
    "Examples:\n"
    "  $ lbctl service list\n"
    "  $ lbctl service show default/web\n"
    "  $ lbctl flow list --service default/web --state established\n"
    "  $ lbctl -o json verdicts | jq '.[].verdicts[] | select(.kind == \"drop\" and .packets > 0)'\n"
    "\n"
    "Exit status:\n"
    "  0  Done\n"
    "  1  lbd refused, or nothing matches\n"
    "  2  Wrong usage\n"
    "  3  No lbd answers";

// CLI11 itself takes -1 for the largest number that there is.
std::string check_count(const std::string& text) {
  return to_number<std::uint64_t>(text) ? "" : text + ": must be a whole number, 0 or more";
}

std::string check_path(const std::string& text) {
  return text.empty() ? "must not be empty" : "";
}

// The commands and what their flags were set to.
class Commands {
 public:
  Commands() {
    app_.set_help_all_flag("--help-all", "Help for every command");
    app_.set_version_flag("--version", std::string("lbctl ") + version());
    app_.add_option("-o,--output", output_, "table, or json for scripts: lbd's own, one document")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    app_.add_option("--socket", socket_, "Control socket of the lbd to ask")
        ->envname("LBD_SOCKET")
        ->check(check_path)
        ->capture_default_str();
    app_.require_subcommand(1);
    // -o and --socket may stand behind the command too.
    app_.fallthrough();
    app_.footer(kFooter);
    add_services();
    add_flows();
    add_rest();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return explain(error, {argv + 1, argv + argc});
    }
    const cli::Client client(socket_);
    const cli::Outcome printed = action_({[&](const std::string& target) { return client.get(target); },
                                          output_ == "json" ? cli::Output::kJson : cli::Output::kTable});
    std::cout << printed.text;
    if (!printed.error) return 0;
    std::cerr << "lbctl: " << printed.error->message << "\n";
    return printed.error->code == ECONNREFUSED ? kUnreachable : kFailed;
  }

 private:
  int explain(const CLI::ParseError& error, const std::vector<std::string>& words) const {
    const std::string wrong = cli::unknown_command(app_, words);
    // --help asked for in whatever company is given.
    if (wrong.empty() || error.get_exit_code() == 0) return app_.exit(error) == 0 ? 0 : kUsage;
    std::cerr << "lbctl: " << wrong << ": no such command; lbctl --help-all lists them\n";
    return kUsage;
  }

  using Action = std::function<cli::Outcome(const Context&)>;

  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help, Action action) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->fallthrough();
    command->callback([this, action = std::move(action)] { action_ = action; });
    return command;
  }

  CLI::App* group(const std::string& name, const std::string& help) {
    CLI::App* command = app_.add_subcommand(name, help);
    command->require_subcommand(1);
    command->fallthrough();
    return command;
  }

  void service_argument(CLI::App* command, bool required) {
    command->add_option("service", service_, "Which service")
        ->type_name("NAMESPACE/NAME")
        ->check(cli::check_service)
        ->required(required);
  }

  void add_services() {
    CLI::App* service = group("service", "Services and where they are served");
    add(*service, "list", "Every frontend: what happens to new connections, and how many backends they are spread over",
        cli::list_services);
    service_argument(add(*service, "show", "One service: frontends, backends, their counters, problems",
                         [this](const Context& context) { return cli::show_service(context, service_); }),
                     true);
    CLI::App* backend = group("backend", "Endpoints behind services");
    service_argument(add(*backend, "list", "Every backend: state, place, counters",
                         [this](const Context& context) { return cli::list_backends(context, service_); }),
                     false);
    CLI::App* maglev = group("maglev", "How new connections are spread");
    service_argument(add(*maglev, "show", "A service's rings: slots and share of each backend, imbalance",
                         [this](const Context& context) { return cli::show_rings(context, service_); }),
                     true);
  }

  void add_flows() {
    CLI::App* flow = group("flow", "Connections that this node knows");
    CLI::App* list = add(*flow, "list", "Flows that match",
                         [this](const Context& context) { return cli::list_flows(context, query(), limit_); });
    CLI::App* count = add(*flow, "count", "How many match",
                          [this](const Context& context) { return cli::count_flows(context, query()); });
    list->add_option("--limit", limit_, "At most this many; 0: all")->check(check_count)->capture_default_str();
    for (CLI::App* command : {list, count}) {
      command->add_option("--service", service_, "Of this service, or service port")
          ->type_name("NAMESPACE/NAME[:PORT/PROTO/FAMILY]")
          ->check(cli::check_flow_service);
      for (const auto& [flag, endpoint, help] : {std::tuple("--client", &client_, "From this client"),
                                                 {"--frontend", &frontend_, "To this frontend"},
                                                 {"--backend", &backend_, "To this backend"}})
        command->add_option(flag, *endpoint, help)->type_name("ADDRESS[:PORT]")->check(cli::check_endpoint);
      command->add_option("--protocol", protocol_, "TCP or UDP")
          ->transform(CLI::IsMember({"TCP", "UDP"}, CLI::ignore_case));
      command->add_option("--state", state_, "In this state")
          ->check(CLI::IsMember({"new", "established", "closing", "closed"}));
    }
  }

  cli::Query query() const {
    return {{"service", service_}, {"client", client_},     {"frontend", frontend_},
            {"backend", backend_}, {"protocol", protocol_}, {"state", state_}};
  }

  void add_rest() {
    add(app_, "status", "How lbd is doing: source, devices, how full the maps are", cli::show_status);
    add(app_, "problems", "What cannot be honoured, and why", cli::list_problems);
    add(app_, "verdicts", "What became of packets: every counter with its meaning", [this](const Context& context) {
      return cli::list_verdicts(context, nonzero_);
    })->add_flag("--nonzero", nonzero_, "Only what was counted");
    add(app_, "version", "Versions of lbctl and lbd; --version is of lbctl alone", cli::show_version);
    add(app_, "completion", "A completion script: source <(lbctl completion bash)",
        [this](const Context&) -> Result<std::string> { return *cli::completion_script(shell_); })
        ->add_option("shell", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    add(app_, "__complete", "",
        [this](const Context& context) -> Result<std::string> {
          std::string lines;
          for (const std::string& candidate : cli::complete(app_, words_, [&] { return cli::service_names(context); }))
            lines += candidate + "\n";
          return lines;
        })
        ->group("")
        ->prefix_command()
        ->add_option("words", words_);
  }

  CLI::App app_{"lbctl shows what lbd, the Fairlead load balancer of this node, does.", "lbctl"};
  Action action_;
  std::string output_ = "table", socket_ = "/run/fairlead/lbd.sock";
  std::string service_, client_, frontend_, backend_, protocol_, state_, shell_;
  std::uint64_t limit_ = 1000;
  bool nonzero_ = false;
  std::vector<std::string> words_;
};

}  // namespace

int main(int argc, char** argv) {
  const int status = Commands().run(argc, argv);
  const auto printed = flush_output();
  if (printed) return status;
  std::cerr << "lbctl: " << printed.error().message << "\n";
  return status == 0 ? kFailed : status;
}
