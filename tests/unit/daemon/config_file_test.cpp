// SPDX-License-Identifier: Apache-2.0
#include "tests/support/content.h"
#include "tests/unit/daemon/parsing.h"

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ConfigFile : public Parsing {
 protected:
  // Of something that would run.
  Options with(const std::string& text, std::vector<std::string> words = {}) const {
    words.insert(words.begin(), {"--manifests", "/m", "--config", file(text)});
    return options(words);
  }

  // Without the file's name.
  std::vector<std::string> errors_of(const std::string& text) const {
    std::vector<std::string> lines = errors({"--manifests", "/m", "--config", file(text)});
    for (std::string& line : lines)
      if (line.starts_with(path("config.conf"))) line.erase(0, path("config.conf").size());
    return lines;
  }
};

TEST_F(ConfigFile, OfKubeadmIsEnoughToStartFrom) {
  const Options options =
      Parsing::options({"--config", FAIRLEAD_TEST_DATA "/kubeadm-kube-proxy.conf", "--hostname-override", "node-1"});
  EXPECT_EQ(options.source, "kubernetes");
  EXPECT_EQ(options.kubeconfig, "/var/lib/kube-proxy/kubeconfig.conf");
  EXPECT_EQ(options.node_name, "node-1");
  EXPECT_EQ(options.kube_api_qps, 50);
  EXPECT_EQ(options.kube_api_burst, 100);
  EXPECT_EQ(options.healthz_address, "0.0.0.0:10256");
  EXPECT_EQ(options.metrics_address, "127.0.0.1:10249");
  EXPECT_EQ(options.datapath.timeouts, datapath::Config::default_timeouts());
  EXPECT_EQ(options.oom_score_adj, std::nullopt);
  EXPECT_THAT(options.cluster_cidr, ElementsAre(*Prefix::parse("10.244.0.0/16"), *Prefix::parse("fd00:10:244::/56")));
  EXPECT_THAT(options.notes, IsEmpty());
  EXPECT_THAT(options.warnings, IsEmpty());
}

TEST_F(ConfigFile, ThatKubeProxyWritesHasTwoNotes) {
  const Options options =
      Parsing::options({"--config", FAIRLEAD_TEST_DATA "/kube-proxy-defaults.conf", "--manifests=/m"});
  EXPECT_THAT(options.notes,
              ElementsAre("KubeProxyConfiguration: clientConnection.contentType: application/vnd.kubernetes.protobuf: "
                          "has no meaning here: only JSON is spoken with the API server",
                          "KubeProxyConfiguration: mode: iptables: has no meaning here: lbd balances with eBPF"));
  EXPECT_THAT(options.warnings, IsEmpty());
  EXPECT_EQ(options.kube_api_qps, 5);
  EXPECT_EQ(options.kube_api_burst, 10);
  EXPECT_EQ(options.oom_score_adj, -999);
}

TEST_F(ConfigFile, HasKubeProxysFields) {
  const Options options = with(kube_proxy(R"(
clientConnection: {kubeconfig: /k, qps: 7.5, burst: 20}
hostnameOverride: node-b
healthzBindAddress: 127.0.0.1:1000
metricsBindAddress: 0.0.0.0
bindAddressHardFail: true
nodePortAddresses: [192.0.2.0/24, 2001:db8::/32]
detectLocalMode: ClusterCIDR
detectLocal: {clusterCIDRs: [10.1.0.0/16]}
oomScoreAdj: 0
conntrack: {tcpEstablishedTimeout: 2h, tcpCloseWaitTimeout: 10m, udpTimeout: 5s, udpStreamTimeout: 1m}
logging: {format: json, verbosity: 4}
)"));
  EXPECT_EQ(options.kubeconfig, "/k");
  EXPECT_EQ(options.kube_api_qps, 7.5);
  EXPECT_EQ(options.kube_api_burst, 20);
  EXPECT_EQ(options.node_name, "node-b");
  EXPECT_EQ(options.healthz_address, "127.0.0.1:1000");
  EXPECT_EQ(options.metrics_address, "0.0.0.0:10249");
  EXPECT_TRUE(options.bind_address_hard_fail);
  EXPECT_EQ(options.nodeport_addresses.prefixes.size(), 2u);
  EXPECT_THAT(options.cluster_cidr, ElementsAre(*Prefix::parse("10.1.0.0/16")));
  EXPECT_EQ(options.oom_score_adj, 0);
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_TCP_ESTABLISHED], 7200u);
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_TCP_HALF_CLOSED], 600u);
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_UDP_NEW], 5u);
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_UDP_STREAM], 60u);
  EXPECT_TRUE(options.log_json);
  EXPECT_EQ(options.log_level, "debug");
  EXPECT_THAT(options.notes, IsEmpty());
}

TEST_F(ConfigFile, HasFairleadsFields) {
  const Options options = Parsing::options({"--config", file(fairlead(R"(
source: file
manifests: /etc/fairlead
devices: [eth0, eth1]
xdpMode: "off"
serviceNodePortRange: 31000-32000
maxFlowsIPv4: 100000
maglevSeed: 4294967295
serveMetrics: false
logLevel: warning
logFormat: json
)"))});
  EXPECT_EQ(options.manifests, "/etc/fairlead");
  EXPECT_THAT(options.devices, ElementsAre("eth0", "eth1"));
  EXPECT_EQ(options.xdp_mode, datapath::XdpMode::kOff);
  EXPECT_EQ(options.datapath.nodeports.first, 31000);
  EXPECT_EQ(options.datapath.sizes.flows4, 100000u);
  EXPECT_EQ(options.datapath.select_seed, 4294967295u);
  EXPECT_EQ(options.metrics_address, "");
  EXPECT_EQ(options.log_level, "warning");
  EXPECT_TRUE(options.log_json);
}

TEST_F(ConfigFile, MayHaveBothDocumentsInAnyOrderOrBeJson) {
  const std::string first = kube_proxy("hostnameOverride: a\nlogging: {verbosity: 5}\n");
  const std::string second = fairlead("logLevel: error\n");
  for (const std::string& text : {first + "---\n" + second, "---\n" + second + "---\n" + first + "---\n"}) {
    const Options options = with(text);
    EXPECT_EQ(options.node_name, "a");
    EXPECT_EQ(options.log_level, "error") << "Fairlead's own word counts";
  }
  EXPECT_EQ(
      with(R"({"apiVersion":"fairlead.dev/v1alpha1","kind":"FairleadConfiguration","logLevel":"debug"})").log_level,
      "debug");
}

TEST_F(ConfigFile, GivesWayToFlags) {
  const std::string text =
      kube_proxy("hostnameOverride: file\nconntrack: {udpTimeout: 5s}\nlogging: {verbosity: 4}\n") + "---\n" +
      fairlead("devices: [eth0]\nserveHealthz: false\n");
  const Options options = with(text, {"--hostname-override=flag", "--conntrack-udp-timeout=0", "--devices=eth1", "-v=0",
                                      "--healthz-bind-address=127.0.0.1:1"});
  EXPECT_EQ(options.node_name, "flag");
  EXPECT_EQ(options.datapath.timeouts[LB_TIMEOUT_UDP_NEW], 30u);
  EXPECT_THAT(options.devices, ElementsAre("eth1"));
  EXPECT_EQ(options.log_level, "info");
  EXPECT_EQ(options.healthz_address, "127.0.0.1:1");
}

TEST_F(ConfigFile, SaysWhatIsNotHonouredByFieldAndValue) {
  const Options options = with(kube_proxy(R"(
mode: nftables
bindAddress: "::"
configSyncPeriod: 1m0s
enableProfiling: true
featureGates: {TopologyAwareHints: true}
iptables: {masqueradeBit: 13, masqueradeAll: true, syncPeriod: 0m30s, localhostNodePorts: false}
nftables: {masqueradeAll: false}
ipvs: {excludeCIDRs: [10.0.0.0/8], strictARP: true}
winkernel: {sourceVip: 192.0.2.1, enableDSR: false}
conntrack: {maxPerCore: 0, min: 100}
logging: {flushFrequency: 5000000000, options: {json: {infoBufferSize: "1024"}}, vmodule: [{filePattern: a, verbosity: 1}]}
detectLocalMode: InterfaceNamePrefix
detectLocal: {interfaceNamePrefix: veth}
)"));
  EXPECT_THAT(
      options.notes,
      ElementsAre(
          "KubeProxyConfiguration: mode: nftables: has no meaning here: lbd balances with eBPF",
          "KubeProxyConfiguration: configSyncPeriod: 1m0s: has no meaning here: changes are watched, not asked for",
          "KubeProxyConfiguration: enableProfiling: true: has no meaning here",
          "KubeProxyConfiguration: featureGates.TopologyAwareHints: true: has no meaning here",
          "KubeProxyConfiguration: iptables.masqueradeBit: 13: has no meaning here",
          "KubeProxyConfiguration: ipvs.excludeCIDRs: [\"10.0.0.0/8\"]: has no meaning here",
          "KubeProxyConfiguration: ipvs.strictARP: true: has no meaning here",
          "KubeProxyConfiguration: winkernel.sourceVip: 192.0.2.1: has no meaning here",
          "KubeProxyConfiguration: conntrack.min: 100: has no meaning here: the kernel's conntrack is left as it is",
          "KubeProxyConfiguration: logging.options.json.infoBufferSize: 1024: has no meaning here: the log goes to "
          "standard error, a line at a time",
          "KubeProxyConfiguration: logging.vmodule: [{\"filePattern\":\"a\",\"verbosity\":1}]: has no meaning here"));
  EXPECT_THAT(options.warnings,
              ElementsAre("KubeProxyConfiguration: iptables.masqueradeAll: true: is not honoured yet",
                          "KubeProxyConfiguration: detectLocal.interfaceNamePrefix: veth: is not honoured yet",
                          "--detect-local-mode (detectLocalMode): InterfaceNamePrefix: is not honoured yet"));
  EXPECT_EQ(options.healthz_address, "[::]:10256");
}

TEST_F(ConfigFile, OfAnotherVersionIsTakenWithWarnings) {
  const Options options = with(kube_proxy(R"(
hostnameOverride: node-c
resourceContainer: /kube-proxy
udpIdleTimeout: 250ms
frobnication: {speed: 11, idle: null, none: ""}
ipvs: {strictArp: true}
"a.b/c": 1
future: false
)"));
  EXPECT_EQ(options.node_name, "node-c");
  EXPECT_THAT(
      options.warnings,
      ElementsAre("KubeProxyConfiguration: frobnication: {\"speed\":11,\"idle\":null,\"none\":\"\"}: is not known here "
                  "and changes nothing",
                  "KubeProxyConfiguration: ipvs.strictArp: true: is not known here and changes nothing",
                  "KubeProxyConfiguration: [a.b/c]: 1: is not known here and changes nothing"));
  EXPECT_THAT(options.notes, IsEmpty());
}

TEST_F(ConfigFile, ErrorsNameDocumentFieldAndValue) {
  EXPECT_THAT(
      errors_of(kube_proxy(R"(
conntrack: {udpTimeout: 5, tcpEstablishedTimeout: 1y}
clientConnection: fast
oomScoreAdj: -1001
nodePortAddresses: [10.0.0.0/99]
clusterCIDR: [10.0.0.0/8]
bindAddressHardFail: "true"
iptables: {masqueradeBit: high, syncPeriod: often}
ipvs: 1
logging: {format: xml}
---
)") + fairlead("maxFlowsIPv4: 1\ndevcies: [eth0]\nmaster: null\n")),
      ElementsAre(
          ", document 1: KubeProxyConfiguration: conntrack.udpTimeout: 5: must be a string, not a number",
          ", document 1: KubeProxyConfiguration: conntrack.tcpEstablishedTimeout: 1y: must be a duration such as 1h30m",
          ", document 1: KubeProxyConfiguration: clientConnection: fast: must be an object",
          ", document 1: KubeProxyConfiguration: oomScoreAdj: -1001: must be a whole number between -1000 and 1000",
          ", document 1: KubeProxyConfiguration: nodePortAddresses: [\"10.0.0.0/99\"]: 10.0.0.0/99: not a CIDR",
          ", document 1: KubeProxyConfiguration: clusterCIDR: [\"10.0.0.0/8\"]: must be a string, not a list",
          ", document 1: KubeProxyConfiguration: bindAddressHardFail: true: must be a boolean, not a string",
          ", document 1: KubeProxyConfiguration: iptables.masqueradeBit: high: must be a number, not a string",
          ", document 1: KubeProxyConfiguration: iptables.syncPeriod: often: must be a duration such as 1h30m",
          ", document 1: KubeProxyConfiguration: ipvs: 1: must be an object",
          ", document 1: KubeProxyConfiguration: logging.format: xml: must be text or json",
          ", document 2: FairleadConfiguration: maxFlowsIPv4: 1: must be a whole number between 64 and 16777216",
          ", document 2: FairleadConfiguration: devcies: [\"eth0\"]: there is no such field"));
}

TEST_F(ConfigFile, HasEachDocumentOnceAndNoOthers) {
  EXPECT_THAT(errors_of(""), ElementsAre(": has neither a KubeProxyConfiguration nor a FairleadConfiguration"));
  EXPECT_THAT(errors_of(fairlead("") + "---\n" + fairlead("logLevel: debug\n")),
              ElementsAre(", document 2: kind: FairleadConfiguration: stands twice, first in " + path("config.conf") +
                          ", document 1"));
  EXPECT_THAT(errors_of("kind: Service\napiVersion: v1\n"),
              ElementsAre(", document 1: kind: Service: must be KubeProxyConfiguration or FairleadConfiguration"));
  EXPECT_THAT(errors_of("mode: iptables\n"), ElementsAre(", document 1: kind: is missing"));
  EXPECT_THAT(errors_of("- a\n"), ElementsAre(", document 1: [\"a\"]: must be an object"));
  EXPECT_THAT(errors_of("kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1\n"),
              ElementsAre(", document 1: KubeProxyConfiguration: apiVersion: kubeproxy.config.k8s.io/v1: must be "
                          "kubeproxy.config.k8s.io/v1alpha1"));
  EXPECT_THAT(errors_of(kube_proxy("clusterCIDR: 10.0.0.0/8\ndetectLocal: {clusterCIDRs: [10.0.0.0/8]}\n")),
              ElementsAre(": clusterCIDR and detectLocal.clusterCIDRs: are both there; one has to go"));
}

TEST_F(ConfigFile, ThatCannotBeReadSaysWhere) {
  EXPECT_THAT(errors_of(fairlead("logLevel: a\nlogLevel: b\n")),
              ElementsAre(", document 1, line 4, column 1: the key 'logLevel' stands twice in the map"));
  const Outcome absent = run({"--config", path("absent")});
  EXPECT_EQ(absent.err, path("absent") + ": cannot be read: No such file or directory\n");
  EXPECT_EQ(absent.parsed.exit_status, 1) << "it may come";
}

// Another build's fields, and settings that are wrong, have no say in what is taken off.
TEST_F(ConfigFile, OfACleanUpSaysWhereThePinsAre) {
  const std::string config = file(fairlead("bpffsPath: /sys/fs/bpf/edge\nofTomorrow: {a: 1}\ndevices: 5\n") + "---\n" +
                                  kube_proxy("clusterCIDR: x\nconntrack: 7\n"));
  const Options cleanup = options({"--cleanup", "--config", config});
  EXPECT_TRUE(cleanup.cleanup);
  EXPECT_EQ(cleanup.datapath.pin_directory, "/sys/fs/bpf/edge");
  EXPECT_THAT(errors({"--config", config}), testing::SizeIs(testing::Ge(4U)));
  EXPECT_THAT(errors({"--cleanup=false", "--config", config}), testing::SizeIs(testing::Ge(4U)));
  EXPECT_THAT(errors({"--cleanup", "--config", file(fairlead("bpffsPath: 5\n"))}),
              ElementsAre(HasSubstr("bpffsPath: 5: must be a string, not a number")));
}

TEST_F(ConfigFile, IsWrittenAndReadBack) {
  const std::string first = path("first.yaml"), second = path("second.yaml");
  const std::vector<std::string> flags{"--source=kubernetes",
                                       "--kubeconfig=/k",
                                       "--master=https://192.0.2.1:6443",
                                       "--kube-api-qps=0.25",
                                       "--kube-api-burst=100000",
                                       "--hostname-override=1234",
                                       "--devices=yes,eth1",
                                       "--xdp-mode=off",
                                       "--nodeport-addresses=192.0.2.0/24,2001:db8::/32",
                                       "--service-node-port-range=31000-32000",
                                       "--cluster-cidr=10.244.0.0/16,fd00::/48",
                                       "--maglev-seed=4294967295",
                                       "--max-ring-slots=100000",
                                       "--conntrack-tcp-timeout-established=90m",
                                       "--bpffs-path=/sys/fs/bpf/other",
                                       "--bind-address=::",
                                       "--healthz-bind-address=",
                                       "--metrics-bind-address=[::1]:9000",
                                       "--oom-score-adj=-5",
                                       "--log-level=trace",
                                       "--log-json"};
  std::vector<std::string> writing = flags;
  writing.insert(writing.end(), {"--write-config-to", first});
  const Outcome written = run(writing);
  EXPECT_EQ(written.parsed.exit_status, 0) << written.err;
  EXPECT_FALSE(written.parsed.options);
  EXPECT_EQ(written.out, "lbd: wrote the configuration in force to " + first + "\n");
  EXPECT_EQ(run({"--config", first, "--write-config-to", second}).err, "");
  EXPECT_EQ(test::content_of(first), test::content_of(second));

  const Options given = options(flags), read = options({"--config", first});
  EXPECT_EQ(read.source, given.source);
  EXPECT_EQ(read.master, given.master);
  EXPECT_EQ(read.kube_api_qps, 0.25);
  EXPECT_EQ(read.kube_api_burst, 100000);
  EXPECT_EQ(read.node_name, "1234");
  EXPECT_EQ(read.devices, given.devices);
  EXPECT_EQ(read.xdp_mode, datapath::XdpMode::kOff);
  EXPECT_EQ(read.nodeport_addresses.prefixes, given.nodeport_addresses.prefixes);
  EXPECT_EQ(read.datapath.nodeports.last, 32000);
  EXPECT_EQ(read.cluster_cidr, given.cluster_cidr);
  EXPECT_EQ(read.datapath.select_seed, 4294967295u);
  EXPECT_EQ(read.datapath.sizes.ring_slots, 100000u);
  EXPECT_EQ(read.datapath.timeouts, given.datapath.timeouts);
  EXPECT_EQ(read.datapath.pin_directory, given.datapath.pin_directory);
  EXPECT_EQ(read.healthz_address, "");
  EXPECT_EQ(read.metrics_address, "[::1]:9000");
  EXPECT_EQ(read.oom_score_adj, -5);
  EXPECT_EQ(read.log_level, "trace");
  EXPECT_TRUE(read.log_json);
  EXPECT_THAT(read.notes, IsEmpty());
}

TEST_F(ConfigFile, IsWrittenForPeople) {
  EXPECT_EQ(run({"--write-config-to", path("out.yaml")}).parsed.exit_status, 0) << "needs no source";
  const std::string text = test::content_of(path("out.yaml"));
  EXPECT_THAT(text, StartsWith("apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
                               "clientConnection:\n  kubeconfig: \"\"\n  qps: 50\n  burst: 100\n"));
  EXPECT_THAT(text, HasSubstr("---\napiVersion: fairlead.dev/v1alpha1\nkind: FairleadConfiguration\n"));
  EXPECT_THAT(text, HasSubstr("  tcpEstablishedTimeout: 24h\n"));
  EXPECT_THAT(text, HasSubstr("xdpMode: auto\n"));
  EXPECT_THAT(errors({"--snat-port-range=30000-31000", "--write-config-to", path("bad.yaml")}), Not(IsEmpty()));
  const Outcome failed = run({"--write-config-to", path("absent/out.yaml")});
  EXPECT_EQ(failed.parsed.exit_status, 1);
  EXPECT_EQ(failed.err, "write " + path("absent/out.yaml") + ": No such file or directory\n");
}

}  // namespace
}  // namespace fairlead::daemon
