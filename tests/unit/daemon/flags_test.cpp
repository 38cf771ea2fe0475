// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/daemon/parsing.h"

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Flags : public Parsing {
 protected:
  // The flags of something that would run.
  static std::vector<std::string> with(std::vector<std::string> words) {
    words.insert(words.begin(), {"--manifests", "/m"});
    return words;
  }
};

TEST_F(Flags, HaveDefaults) {
  const Options options = Parsing::options({"--manifests", "/m"});
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  EXPECT_STRCASEEQ(options.node_name.c_str(), host);
  EXPECT_EQ(options.source, "file");
  EXPECT_EQ(options.kube_api_qps, 50);
  EXPECT_EQ(options.kube_api_burst, 100);
  EXPECT_EQ(options.datapath.pin_directory, "/sys/fs/bpf/fairlead");
  EXPECT_EQ(options.oom_score_adj, std::nullopt);
  EXPECT_TRUE(options.nodeport_addresses.primary);
  EXPECT_THAT(options.notes, IsEmpty());
  EXPECT_THAT(options.warnings, IsEmpty());
}

TEST_F(Flags, AreTaken) {
  const Options options = Parsing::options(
      with({"--devices", "eth0,eth1", "--devices=eth2", "--xdp-mode=generic", "--snat-port-range=20000-20999",
            "--snat-addresses=fd00::5,10.0.0.5", "--cluster-cidr=10.244.0.0/16,fd00:244::/56", "--max-flows-ipv6=128",
            "--conntrack-udp-timeout-stream=1h30m", "--oom-score-adj", "-999", "--kube-api-qps=-1",
            "--hostname-override= Node-A ", "--bind-address-hard-fail", "--log-level=error"}));
  EXPECT_THAT(options.devices, ElementsAre("eth0", "eth1", "eth2"));
  EXPECT_EQ(options.xdp_mode, datapath::XdpMode::kGeneric);
  EXPECT_EQ(options.datapath.snat_ports.last, 20999);
  EXPECT_THAT(options.snat_addresses, ElementsAre(Address::literal("10.0.0.5"), Address::literal("fd00::5")));
  EXPECT_THAT(options.cluster_cidr, ElementsAre(*Prefix::parse("10.244.0.0/16"), *Prefix::parse("fd00:244::/56")));
  EXPECT_EQ(options.datapath.sizes.flows6, 128u);
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_UDP_STREAM], 5400u);
  EXPECT_EQ(options.oom_score_adj, -999);
  EXPECT_EQ(options.kube_api_qps, -1) << "no limit";
  EXPECT_EQ(options.node_name, "node-a");
  EXPECT_TRUE(options.bind_address_hard_fail);
  EXPECT_EQ(options.log_level, "error");
}

struct Wrong {
  const char* flag;
  const char* message;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.flag;
}

class WrongFlags : public Flags, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongFlags, AreNamedWithTheirValue) {
  EXPECT_THAT(errors(with({GetParam().flag})), ElementsAre(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Values, WrongFlags,
    testing::Values(
        Wrong{"--source=etcd", "--source: etcd: must be file or kubernetes"},
        Wrong{"--xdp-mode=fast", "--xdp-mode: fast: must be auto, native, generic or off"},
        Wrong{"--devices=eth0,eth1,eth0", "--devices: eth0,eth1,eth0: eth0: stands twice"},
        Wrong{"--nodeport-addresses=somewhere", "--nodeport-addresses: somewhere: not a CIDR"},
        Wrong{"--nodeport-addresses=10.0.0.0/8,somewhere",
              "--nodeport-addresses: 10.0.0.0/8,somewhere: somewhere: not a CIDR"},
        Wrong{"--cluster-cidr=10.0.0.0/33", "--cluster-cidr: 10.0.0.0/33: not a CIDR"},
        Wrong{"--nodeport-addresses=primary,10.0.0.0/8",
              "--nodeport-addresses: primary,10.0.0.0/8: primary: must stand alone"},
        Wrong{"--snat-port-range=200-100",
              "--snat-port-range: 200-100: must be of the form FIRST-LAST, with ports between 1 and 65535"},
        Wrong{"--snat-addresses=10.0.0.0/8", "--snat-addresses: 10.0.0.0/8: must be an IP address"},
        Wrong{"--snat-addresses=fd00::1,127.0.0.1",
              "--snat-addresses: fd00::1,127.0.0.1: 127.0.0.1: must be an address that other nodes reach this one by"},
        Wrong{
            "--snat-addresses=10.0.0.1,fd00::1,10.0.0.2",
            "--snat-addresses: 10.0.0.1,fd00::1,10.0.0.2: 10.0.0.2: only one address of a family can be, and there is "
            "10.0.0.1"},
        Wrong{
            "--snat-port-range=29000-30000",
            "--snat-port-range and --service-node-port-range: 29000-30000 and 30000-32767: overlap: a reply could not "
            "be told from a new connection"},
        Wrong{"--snat-port-range=1000-1062", "--snat-port-range: 1000-1062: must have at least 64 ports"},
        Wrong{"--max-flows-ipv4=63", "--max-flows-ipv4: 63: must be a whole number between 64 and 16777216"},
        Wrong{"--max-flows-ipv4=1e5", "--max-flows-ipv4: 1e5: must be a whole number between 64 and 16777216"},
        Wrong{"--kube-api-qps=fast", "--kube-api-qps: fast: must be a number from 0.001, or negative for no limit"},
        Wrong{"--kube-api-qps=1e-9", "--kube-api-qps: 1e-9: must be a number from 0.001, or negative for no limit"},
        Wrong{"--oom-score-adj=-1001", "--oom-score-adj: -1001: must be a whole number between -1000 and 1000"},
        Wrong{"--conntrack-udp-timeout=500ms",
              "--conntrack-udp-timeout: 500ms: must be a duration between 1s and 8760h, such as 1h30m"},
        Wrong{"--healthz-bind-address=10256",
              "--healthz-bind-address: 10256: must be of the form ADDRESS:PORT, with an IPv6 address in brackets"},
        Wrong{
            "--metrics-bind-address=192.0.2.1:0",
            "--metrics-bind-address: 192.0.2.1:0: must be of the form ADDRESS:PORT, with an IPv6 address in brackets"},
        Wrong{"--hostname-override= ", "--hostname-override:  : must not be blank"},
        Wrong{"--detect-local-mode=Guess",
              "--detect-local-mode: Guess: must be ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix"},
        Wrong{"--control-socket=", "--control-socket: must not be empty"},
        Wrong{"--bpffs-path=", "--bpffs-path: must not be empty"},
        Wrong{"--cleanup=maybe", "--cleanup: maybe: must be true or false"},
        Wrong{"--v=high", "--v: high: must be a whole number, 0 or more"},
        Wrong{"--init-only", "--init-only: true: lbd needs its privileges as long as it runs"},
        Wrong{"--frobnicate", "The following argument was not expected: --frobnicate"}));

TEST_F(Flags, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(errors(with({"--xdp-mode=fast", "--log-level=loud"})),
              ElementsAre("--xdp-mode: fast: must be auto, native, generic or off",
                          "--log-level: loud: must be trace, debug, info, warning or error"));
}

TEST_F(Flags, CleanUpWritesNoConfiguration) {
  EXPECT_THAT(errors({"--cleanup", "--write-config-to=/nowhere/lbd.yaml"}),
              ElementsAre("--cleanup and --write-config-to: cannot both be done"));
}

// The unit names the prefix that it was installed to; one text has to be true for all.
TEST_F(Flags, HelpSaysWhereTheConfigurationOfAnotherPrefixIs) {
  EXPECT_THAT(run({"--help"}).out, HasSubstr("PREFIX/etc/fairlead/config.yaml"));
}

TEST_F(Flags, StandOnceUnlessTheyAreLists) {
  EXPECT_THAT(errors(with({"--log-level=info", "--log-level=debug"})), ElementsAre(HasSubstr("--log-level")));
}

TEST_F(Flags, WithoutAValueHaveTheDefaultExceptWhereThatIsNone) {
  const Options options = Parsing::options(with({"--xdp-mode=", "--kube-api-burst=0", "--conntrack-udp-timeout=0s",
                                                 "--healthz-bind-address=", "--metrics-bind-address", ""}));
  EXPECT_EQ(options.xdp_mode, datapath::XdpMode::kAuto);
  EXPECT_EQ(options.kube_api_burst, 100);
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_UDP_NEW], 30u);
  EXPECT_EQ(options.healthz_address, "");
  EXPECT_EQ(options.metrics_address, "");
}

TEST_F(Flags, ListeningAddressesMayLackAPortAndFollowTheFamilyOfBindAddress) {
  EXPECT_EQ(Parsing::options(with({"--metrics-bind-address=0.0.0.0"})).metrics_address, "0.0.0.0:10249");
  EXPECT_EQ(Parsing::options(with({"--healthz-bind-address=::"})).healthz_address, "[::]:10256");
  const Options options = Parsing::options(with({"--bind-address=::", "--healthz-bind-address=127.0.0.1:1"}));
  EXPECT_EQ(options.healthz_address, "127.0.0.1:1");
  EXPECT_EQ(options.metrics_address, "[::1]:10249");
  EXPECT_THAT(options.warnings, IsEmpty());
  EXPECT_THAT(Parsing::options(with({"--bind-address=192.0.2.1"})).warnings,
              ElementsAre("--bind-address (bindAddress): 192.0.2.1: is not honoured yet"));
}

TEST_F(Flags, NodePortAddressesHaveKubeProxysWords) {
  EXPECT_TRUE(Parsing::options(with({"--nodeport-addresses=primary"})).nodeport_addresses.primary);
  const auto addresses = Parsing::options(with({"--nodeport-addresses=all,192.0.2.0/24"})).nodeport_addresses;
  EXPECT_FALSE(addresses.primary);
  EXPECT_THAT(addresses.prefixes,
              ElementsAre(*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0"), *Prefix::parse("192.0.2.0/24")));
}

TEST_F(Flags, VerbosityIsALogLevelOfWhichLogLevelKnowsBetter) {
  EXPECT_EQ(Parsing::options(with({"-v", "2"})).log_level, "info");
  EXPECT_EQ(Parsing::options(with({"-v=4"})).log_level, "debug");
  EXPECT_EQ(Parsing::options(with({"--v=5"})).log_level, "trace");
  EXPECT_EQ(Parsing::options(with({"--log-level=warning", "--v=5"})).log_level, "warning");
  EXPECT_TRUE(Parsing::options(with({"--logging-format=json"})).log_json);
}

// As found in the args of DaemonSets.
TEST_F(Flags, OfKubeProxyThatMeanNothingAreNoted) {
  const Options options = Parsing::options(
      with({"--proxy-mode=ipvs", "--ipvs-strict-arp", "--ipvs-scheduler", "lc", "--oom_score_adj=-999",
            "--iptables-masquerade-bit=14", "--iptables-sync-period=0m30s", "--logtostderr=true", "--profiling=false",
            "--feature-gates=A=true,B=false", "--conntrack-max-per-core=0", "--masquerade-all",
            "--pod-bridge-interface=cni0", "--detect-local-mode=BridgeInterface"}));
  EXPECT_THAT(options.notes,
              ElementsAre("--proxy-mode: ipvs: has no meaning here: lbd balances with eBPF",
                          "--feature-gates: A=true,B=false: has no meaning here",
                          "--ipvs-scheduler: lc: has no meaning here", "--ipvs-strict-arp: true: has no meaning here",
                          "--conntrack-max-per-core: 0: has no meaning here: the kernel's conntrack is left as it is"));
  EXPECT_THAT(
      options.warnings,
      ElementsAre("--masquerade-all: true: is not honoured yet", "--pod-bridge-interface: cni0: is not honoured yet",
                  "--detect-local-mode (detectLocalMode): BridgeInterface: is not honoured yet"));
  EXPECT_EQ(options.oom_score_adj, -999);
}

TEST_F(Flags, OfKubeProxyAreOnlyInTheLongHelp) {
  const Outcome help = run({"--help"}), all = run({"--help-all"});
  EXPECT_EQ(help.parsed.exit_status, 0);
  EXPECT_THAT(help.out, HasSubstr("--kubeconfig"));
  EXPECT_THAT(help.out, Not(HasSubstr("--ipvs-strict-arp")));
  for (const char* section : {"\nFiles:\n  /etc/", "\nExamples:\n  $ lbd ", "\nExit status:\n  0  "})
    EXPECT_THAT(help.out, HasSubstr(section));
  EXPECT_EQ(all.parsed.exit_status, 0);
  EXPECT_THAT(all.out, HasSubstr("--kubeconfig"));
  EXPECT_THAT(all.out, HasSubstr("--ipvs-strict-arp"));
}

TEST_F(Flags, ChooseTheSource) {
  EXPECT_THAT(errors({}), ElementsAre(HasSubstr("--manifests names a directory")));
  EXPECT_EQ(Parsing::options({"--manifests=/m"}).source, "file");
  EXPECT_EQ(Parsing::options({"--kubeconfig=/k"}).source, "kubernetes");
  EXPECT_EQ(Parsing::options({"--master=https://192.0.2.1:6443"}).source, "kubernetes");
  setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
  EXPECT_EQ(Parsing::options({}).source, "kubernetes");
  EXPECT_EQ(Parsing::options({"--manifests=/m"}).source, "file");
}

TEST_F(Flags, AProxyThatIsNotUsedIsSaid) {
  setenv("HTTPS_PROXY", "http://192.0.2.9:3128", 1);
  EXPECT_THAT(Parsing::options({"--kubeconfig=/k"}).warnings,
              ElementsAre("HTTPS_PROXY: is not used: lbd asks the API server without a proxy"));
  EXPECT_THAT(Parsing::options({"--manifests=/m"}).warnings, IsEmpty());
  unsetenv("HTTPS_PROXY");
}

TEST_F(Flags, ThatContradictTheSourceAreReported) {
  EXPECT_THAT(errors({"--source=file"}), ElementsAre("--manifests is needed with --source file"));
  const std::string web = file("", "web.yaml");
  EXPECT_THAT(errors({"--manifests", web}),
              ElementsAre("--manifests: " + web + ": must be a directory, with manifests in it"));
  EXPECT_THAT(errors({"--source=kubernetes"}),
              ElementsAre("--kubeconfig or --master is needed with --source kubernetes: KUBERNETES_SERVICE_HOST is not "
                          "set"));
  EXPECT_THAT(Parsing::options({"--manifests=/m", "--kubeconfig=/k"}).warnings,
              ElementsAre("--kubeconfig and --master: are not used: Services come from /m"));
  EXPECT_THAT(Parsing::options({"--source=kubernetes", "--manifests=/m", "--kubeconfig=/k"}).warnings,
              ElementsAre("--manifests: /m: is not used: Services come from Kubernetes"));
}

TEST_F(Flags, CleanupNeedsNoSource) {
  EXPECT_TRUE(Parsing::options({"--cleanup"}).cleanup);
  EXPECT_TRUE(Parsing::options({"--cleanup=true"}).cleanup);
}

}  // namespace
}  // namespace fairlead::daemon
