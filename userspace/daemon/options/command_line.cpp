// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "userspace/daemon/options/kube_proxy_only.h"
#include "userspace/util/version.h"

namespace fairlead::daemon {
namespace {

constexpr const char* kAbout =
    "lbd balances Kubernetes Services in the kernel, with XDP and tc programs at this node's uplinks.\n"
    "Stopping it leaves forwarding as it is; the next lbd takes over. --cleanup ends it.";
constexpr const char* kMore =
    "A flag goes before the same setting in the --config file. kube-proxy's other flags are taken too, and those that\n"
    "mean something else than its defaults are named in the log; --help-all lists them.\n"
    "\n"
    "Files:\n"
    "  /etc/fairlead/config.yaml  What lbd.service gives to --config; PREFIX/etc/fairlead/config.yaml, where lbd was\n"
    "                             installed to another prefix than /usr\n"
    "  /etc/fairlead/manifests    The directory that this file names, beside it\n"
    "  /sys/fs/bpf/fairlead       Maps and links, which stay while lbd is stopped\n"
    "  /run/fairlead/lbd.sock     Where lbctl asks\n"
    "\n"
    "Examples:\n"
    "  $ lbd --manifests /etc/fairlead/manifests --devices eth0,eth1\n"
    "  $ lbd --kubeconfig /etc/kubernetes/lbd.conf --hostname-override node1\n"
    "  $ lbd --config /etc/fairlead/config.yaml --write-config-to all.yaml\n"
    "  $ lbd --cleanup\n"
    "\n"
    "Exit status:\n"
    "  0  It was stopped by SIGTERM or SIGINT, or has done what was asked\n"
    "  1  It cannot start or go on, or could not do what was asked, and has said why\n"
    "  2  Wrong usage: a flag, or what the configuration says";
constexpr const char* kKubeProxyGroup = "Accepted for kube-proxy's sake";

// --oom_score_adj is --oom-score-adj, as for kube-proxy. An empty value becomes a word of its own, because CLI11 takes
// the next word for it otherwise.
std::vector<std::string> normal_words(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    const auto name_end = word.starts_with("--") ? std::min(word.find('='), word.size()) : 0;
    std::replace(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(name_end), '_', '-');
    const bool is_emptied = name_end > 0 && name_end + 1 == word.size();
    if (is_emptied) word.pop_back();
    words.push_back(std::move(word));
    if (is_emptied) words.emplace_back();
  }
  return words;
}

class Parser {
 public:
  Parser(const std::vector<Setting>& settings, bool help_all) {
    app_.set_help_flag("-h,--help,--help-all", "Print this, or all flags, and exit");
    app_.set_version_flag("--version", "lbd " + std::string(version()));
    app_.get_formatter()->column_width(44);
    app_.footer(kMore);
    add_files();
    for (const Setting& setting : settings)
      if (!setting.flag.empty()) add(setting);
    for (const KubeProxyOnly& only : kube_proxy_only())
      if (!only.flag.empty()) add(only)->group(help_all ? kKubeProxyGroup : "");
  }

  std::variant<CommandLine, int> parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app_.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : kUsageStatus;
    }
    return std::move(line_);
  }

 private:
  void add_files() {
    app_.add_option("--config", line_.config, "KubeProxyConfiguration, FairleadConfiguration, or both in one YAML file")
        ->type_name("FILE");
    app_.add_option("--write-config-to", line_.write_config_to,
                    "Write what is in force to a file that --config reads, and exit")
        ->type_name("FILE");
  }

  void add(const Setting& setting) {
    std::string help = setting.help, usual;
    for (const std::string& text : setting.fallback)
      usual += (usual.empty() ? "" : ",") + text;
    if (!usual.empty() && setting.value.shape != Shape::kBoolean) help += " (default " + usual + ")";
    add(setting.flag, setting.value.shape, help)->group(setting.group)->type_name(setting.value.type);
  }

  CLI::Option* add(const KubeProxyOnly& only) {
    CLI::Option* option = add(std::string(only.flag), only.shape, only.remark());
    return option->type_name(only.shape == Shape::kBoolean ? "" : "VALUE");
  }

  CLI::Option* add(const std::string& flag, Shape shape, const std::string& help) {
    const std::string names = (flag.size() == 1 ? "-" + flag + "," : "") + "--" + flag;
    if (shape == Shape::kBoolean) return add_switch(flag, names, help);
    if (shape == Shape::kList || shape == Shape::kCommaList) return add_list(flag, names, help);
    return app_.add_option_function<std::string>(
        names, [this, flag](const std::string& text) { line_.flags[flag] = {text}; }, help);
  }

  // With a value or without one, which is true. The words are those of Go.
  CLI::Option* add_switch(const std::string& flag, const std::string& names, const std::string& help) {
    const auto take = [this, flag](const std::string& text) {
      const auto is_in = [&](const Texts& words) { return std::find(words.begin(), words.end(), text) != words.end(); };
      const bool is_true = is_in({"", "1", "t", "T", "TRUE", "True"}),
                 is_false = is_in({"0", "f", "F", "FALSE", "False"});
      line_.flags[flag] = {is_true ? "true" : is_false ? "false" : text};
    };
    return app_.add_option_function<std::string>(names, take, help)->expected(0, 1);
  }

  // Several times the same flag make one list.
  CLI::Option* add_list(const std::string& flag, const std::string& names, const std::string& help) {
    const auto take = [this, flag](const std::vector<std::string>& texts) {
      Texts& items = line_.flags[flag];
      for (const std::string& text : texts) {
        const Texts more = list_items(text);
        items.insert(items.end(), more.begin(), more.end());
      }
    };
    return app_.add_option_function<std::vector<std::string>>(names, take, help)->allow_extra_args(false);
  }

  CommandLine line_;
  CLI::App app_{kAbout, "lbd"};
};

}  // namespace

std::variant<CommandLine, int> read_command_line(int argc, const char* const* argv,
                                                 const std::vector<Setting>& settings) {
  std::vector<std::string> words = normal_words(argc, argv);
  const bool help_all = std::find(words.begin(), words.end(), "--help-all") != words.end();
  return Parser(settings, help_all).parse(std::move(words));
}

}  // namespace fairlead::daemon
