// SPDX-License-Identifier: Apache-2.0
#include "tests/support/control_plane.h"

#include <fstream>
#include <utility>

namespace fairlead::test {
namespace {

// Ready in five seconds where nothing else runs.
constexpr std::chrono::seconds kPatience{90};
constexpr std::chrono::seconds kKubectlPatience{60};

// Where the programs of that version are.
Result<std::string> find_programs(const std::string& version) {
  auto found = run({FAIRLEAD_CONTROLPLANE_BUILD, "--where", version}, std::chrono::seconds(10));
  if (found) found->erase(found->find('\n'));
  return found;
}

}  // namespace

std::string controlplane_program() {
  return FAIRLEAD_CONTROLPLANE_PROGRAM;
}

std::optional<std::string> missing_for_kubernetes(const std::string& version) {
  if (auto missing = missing_requirement()) return missing;
  if (const auto programs = find_programs(version); !programs) return programs.error().message;
  return std::nullopt;
}

Result<ControlPlane> ControlPlane::up(const Lab& lab, const std::string& version,
                                      const std::vector<std::string>& apiserver_flags) {
  const auto bin = find_programs(version);
  if (!bin) return bin.error();
  const Host& router = lab.router();
  std::vector<std::string> argv{
      controlplane_program(),    "run",
      "--bin=" + *bin,           "--dir=" + lab.dir() + "/kubernetes",
      "--netns=" + router.netns, "--address=" + router.ipv4.to_string() + "," + router.ipv6.to_string()};
  for (const std::string& flag : apiserver_flags)
    argv.push_back("--apiserver-flag=" + flag);
  auto dialogue = Dialogue::start(argv, kPatience);
  if (!dialogue) return dialogue.error();
  return ControlPlane(lab, *bin, std::move(*dialogue));
}

Result<std::string> ControlPlane::kubeconfig_for(const std::string& name_space, const std::string& account,
                                                 const std::string& server) const {
  auto token = kubectl({"create", "token", account, "--namespace", name_space, "--duration", "24h"});
  if (!token) return token;
  token->erase(token->find_last_not_of('\n') + 1);
  const std::string url = server.empty() ? this->server() : server;
  const auto text = run({controlplane_program(), "kubeconfig", "--dir", dir(), "--server", url, "--token", *token},
                        std::chrono::seconds(10));
  if (!text) return text;
  // Named after the port too: there may be one for the API server and one for a proxy in front of it.
  std::string path = dir() + "/" + name_space + "-" + account + "-" + url.substr(url.rfind(':') + 1) + ".kubeconfig";
  std::ofstream file(path, std::ios::trunc);
  file << *text;
  file.close();
  if (!file) return make_error("write", path, errno);
  return path;
}

Result<std::string> ControlPlane::kubectl(const std::vector<std::string>& arguments, std::string_view input) const {
  std::vector<std::string> argv{kubectl_program(), "--kubeconfig=" + admin(), "--cache-dir=" + dir() + "/kubectl"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, kKubectlPatience, input);
}

Result<> ControlPlane::apply(const std::string& yaml) const {
  const auto applied = kubectl({"apply", "--server-side", "--force-conflicts", "-f", "-"}, yaml);
  if (!applied) return applied.error();
  return {};
}

Result<boost::json::value> ControlPlane::get(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"get", "--output=json"});
  const auto text = kubectl(arguments);
  if (!text) return text.error();
  boost::system::error_code error;
  auto value = boost::json::parse(*text, error);
  if (error) return Error{"kubectl printed something that is not JSON: " + *text, EPROTO};
  return value;
}

}  // namespace fairlead::test
