// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/options/kube_proxy_only.h"

#include <array>

#include "userspace/util/duration.h"

namespace fairlead::daemon {
namespace {

using Use = KubeProxyOnly::Use;

constexpr std::string_view kNoPeriod = "changes are written when they come";
constexpr std::string_view kNoRefresh = "changes are watched, not asked for";
constexpr std::string_view kNoConntrack = "the kernel's conntrack is left as it is";
constexpr std::string_view kPlainLog = "the log goes to standard error, a line at a time";

constexpr auto kTable = std::to_array<KubeProxyOnly>({
    {"kube-api-content-type", "clientConnection.contentType", Shape::kText, Use::kNone, "application/json",
     "only JSON is spoken with the API server"},
    {"", "clientConnection.acceptContentTypes", Shape::kText, Use::kNone, "application/json",
     "only JSON is spoken with the API server"},
    {"config-sync-period", "configSyncPeriod", Shape::kDuration, Use::kNone, "15m", kNoRefresh},
    {"init-only", "", Shape::kBoolean, Use::kRefused, "", "lbd needs its privileges as long as it runs"},
    {"proxy-mode", "mode", Shape::kText, Use::kNone, "ebpf", "lbd balances with eBPF"},
    {"feature-gates", "featureGates", Shape::kAny},
    {"profiling", "enableProfiling", Shape::kBoolean},
    {"show-hidden-metrics-for-version", "showHiddenMetricsForVersion"},
    {"boot-id-file", "", Shape::kText, Use::kNone, "/proc/sys/kernel/random/boot_id"},
    {"machine-id-file", "", Shape::kText, Use::kNone, "/etc/machine-id,/var/lib/dbus/machine-id"},
    {"healthz-port", "", Shape::kNumber, Use::kNone, "10256", "--healthz-bind-address has the port"},
    {"metrics-port", "", Shape::kNumber, Use::kNone, "10249", "--metrics-bind-address has the port"},

    {"masquerade-all", "masqueradeAll", Shape::kBoolean, Use::kNotYet},
    {"", "iptables.masqueradeAll", Shape::kBoolean, Use::kNotYet},
    {"", "nftables.masqueradeAll", Shape::kBoolean, Use::kNotYet},
    {"", "iptables.snatNodeInternalIP", Shape::kBoolean, Use::kNotYet},
    {"pod-bridge-interface", "detectLocal.bridgeInterface", Shape::kText, Use::kNotYet},
    {"pod-interface-name-prefix", "detectLocal.interfaceNamePrefix", Shape::kText, Use::kNotYet},

    {"iptables-masquerade-bit", "iptables.masqueradeBit", Shape::kNumber, Use::kNone, "14"},
    {"iptables-localhost-nodeports", "iptables.localhostNodePorts", Shape::kBoolean, Use::kNone, "true"},
    {"iptables-sync-period", "iptables.syncPeriod", Shape::kDuration, Use::kNone, "30s", kNoPeriod},
    {"iptables-min-sync-period", "iptables.minSyncPeriod", Shape::kDuration, Use::kNone, "1s", kNoPeriod},
    {"", "syncPeriod", Shape::kDuration, Use::kNone, "30s", kNoPeriod},
    {"", "minSyncPeriod", Shape::kDuration, Use::kNone, "1s", kNoPeriod},
    {"", "nftables.masqueradeBit", Shape::kNumber, Use::kNone, "14"},
    {"", "nftables.syncPeriod", Shape::kDuration, Use::kNone, "30s", kNoPeriod},
    {"", "nftables.minSyncPeriod", Shape::kDuration, Use::kNone, "1s", kNoPeriod},
    {"ipvs-sync-period", "ipvs.syncPeriod", Shape::kDuration, Use::kNone, "30s", kNoPeriod},
    {"ipvs-min-sync-period", "ipvs.minSyncPeriod", Shape::kDuration, Use::kNone, "1s", kNoPeriod},
    {"ipvs-scheduler", "ipvs.scheduler"},
    {"ipvs-exclude-cidrs", "ipvs.excludeCIDRs", Shape::kList},
    {"ipvs-strict-arp", "ipvs.strictARP", Shape::kBoolean},
    {"ipvs-tcp-timeout", "ipvs.tcpTimeout", Shape::kDuration},
    {"ipvs-tcpfin-timeout", "ipvs.tcpFinTimeout", Shape::kDuration},
    {"ipvs-udp-timeout", "ipvs.udpTimeout", Shape::kDuration},
    {"", "winkernel", Shape::kAny},
    {"", "windowsRunAsService", Shape::kBoolean},
    {"", "portRange"},
    {"", "resourceContainer", Shape::kText, Use::kNone, "/kube-proxy"},
    {"", "udpIdleTimeout", Shape::kDuration, Use::kNone, "250ms"},

    {"conntrack-max-per-core", "conntrack.maxPerCore", Shape::kNumber, Use::kNone, "32768", kNoConntrack},
    {"conntrack-min", "conntrack.min", Shape::kNumber, Use::kNone, "131072", kNoConntrack},
    {"conntrack-tcp-be-liberal", "conntrack.tcpBeLiberal", Shape::kBoolean, Use::kNone, "", kNoConntrack},

    {"log-flush-frequency", "logging.flushFrequency", Shape::kAny, Use::kAsItIs},
    {"logtostderr", "", Shape::kBoolean, Use::kAsItIs},
    {"alsologtostderr", "", Shape::kBoolean, Use::kAsItIs},
    {"vmodule", "logging.vmodule", Shape::kAny},
    {"", "logging.options", Shape::kAny, Use::kNone, "", kPlainLog},
    {"log-json-split-stream", "", Shape::kBoolean, Use::kNone, "", kPlainLog},
    {"log-json-info-buffer-size", "", Shape::kText, Use::kNone, "", kPlainLog},
    {"log-text-split-stream", "", Shape::kBoolean, Use::kNone, "", kPlainLog},
    {"log-text-info-buffer-size", "", Shape::kText, Use::kNone, "", kPlainLog},
    {"stderrthreshold", "", Shape::kText, Use::kNone, "", kPlainLog},
    {"log-dir", "", Shape::kText, Use::kNone, "", kPlainLog},
    {"log-file", "", Shape::kText, Use::kNone, "", kPlainLog},
    {"log-file-max-size", "", Shape::kText, Use::kNone, "1800", kPlainLog},
    {"log-backtrace-at", "", Shape::kText, Use::kNone, "", kPlainLog},
    {"add-dir-header", "", Shape::kBoolean, Use::kNone, "", kPlainLog},
    {"one-output", "", Shape::kBoolean, Use::kNone, "", kPlainLog},
    {"skip-headers", "", Shape::kBoolean, Use::kNone, "", kPlainLog},
    {"skip-log-headers", "", Shape::kBoolean, Use::kNone, "", kPlainLog},
});

bool is_same(std::string_view text, std::string_view usual) {
  if (text == usual) return true;
  const auto duration = parse_duration(text);
  return duration && duration == parse_duration(usual);
}

}  // namespace

bool KubeProxyOnly::is_unusual(const Texts& texts) const {
  if (use == Use::kAsItIs || is_empty(texts) || (shape == Shape::kDuration && is_zero(texts))) return false;
  return texts.size() > 1 || (texts.front() != "false" && !is_same(texts.front(), usual));
}

std::string KubeProxyOnly::remark() const {
  if (use == Use::kNotYet) return "is not honoured yet";
  if (use == Use::kAsItIs) return "is so in any case";
  if (use == Use::kRefused) return std::string(why);
  return "has no meaning here" + (why.empty() ? std::string() : ": " + std::string(why));
}

std::span<const KubeProxyOnly> kube_proxy_only() {
  return kTable;
}

}  // namespace fairlead::daemon
