// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/packet/traffic.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "tests/bench/packet/die.h"
#include "tests/support/socket.h"

namespace fairlead::bench {
namespace {

constexpr const char* kBehind = "stream1";
constexpr std::uint16_t kPort = 9;

Address far_end(Family family) {
  return Address::literal(family == Family::IPv4 ? "10.8.0.2" : "fd08::2");
}

Fd this_namespace() {
  Fd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) die("open the network namespace: " + std::string(strerror(errno)));
  return fd;
}

Fd make_namespace() {
  Fd made;
  std::jthread([&made] {
    if (unshare(CLONE_NEWNET)) die("unshare: " + std::string(strerror(errno)));
    made = this_namespace();
  }).join();
  return made;
}

// A tc program at one end of a device, and the qdisc for it, as long as this lives.
class Attached {
 public:
  Attached(int program, const char* device, lb_hook hook) {
    hook_.sz = sizeof(hook_);
    hook_.ifindex = static_cast<int>(if_nametoindex(device));
    hook_.attach_point = hook == LB_HOOK_TC_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.prog_fd = program;
    if (bpf_tc_hook_create(&hook_) || bpf_tc_attach(&hook_, &options)) die(std::string("attach to ") + device);
  }
  ~Attached() {
    hook_.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
    bpf_tc_hook_destroy(&hook_);
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  bpf_tc_hook hook_{};
};

bpf_prog_info statistics(int program) {
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &length)) die("read what a program took");
  return info;
}

void receive_all(const Fd& listener) {
  const Fd connection = unwrap(test::accept_at(listener));
  std::vector<char> buffer(1 << 20);
  while (recv(connection.get(), buffer.data(), buffer.size(), 0) > 0)
    continue;
}

void send_all(const Fd& connection, const std::vector<char>& data) {
  std::size_t sent = 0;
  while (sent < data.size()) {
    const ssize_t n = send(connection.get(), data.data() + sent, data.size() - sent, 0);
    if (n <= 0) die("send: " + std::string(strerror(errno)));
    sent += static_cast<std::size_t>(n);
  }
}

}  // namespace

Stream::Stream() : behind_(make_namespace()), statistics_(bpf_enable_stats(BPF_STATS_RUN_TIME)) {
  if (!statistics_) die("have the kernel measure programs: " + std::string(strerror(errno)));
  shell(
      "ip link add stream0 type veth peer name stream1 netns /proc/" + std::to_string(getpid()) + "/fd/" +
      std::to_string(behind_.get()) +
      " && ip link set stream0 up && ip addr add 10.8.0.1/24 dev stream0 && ip addr add fd08::1/64 dev stream0 nodad");
  behind([] {
    shell(
        "ip link set lo up && ip link set stream1 up && ip addr add 10.8.0.2/24 dev stream1"
        " && ip addr add fd08::2/64 dev stream1 nodad");
  });
}

void Stream::behind(const std::function<void()>& work) const {
  std::jthread([this, &work] {
    if (setns(behind_.get(), CLONE_NEWNET)) die("enter the other namespace: " + std::string(strerror(errno)));
    work();
  }).join();
}

void Stream::transfer(Family family, const std::vector<char>& data, std::uint32_t writes) {
  const test::Endpoint far{far_end(family), kPort};
  Fd listener;
  behind([&] { listener = unwrap(test::listen_at(test::Transport::Tcp, far)); });
  const std::jthread receiver([&listener] { receive_all(listener); });
  const Fd connection = unwrap(test::connect_to(test::Transport::Tcp, far));
  const int on = 1;
  setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  for (std::uint32_t i = 0; i < writes; ++i)
    send_all(connection, data);
}

double Stream::run(int program, lb_hook hook, Family family, std::size_t bytes, std::uint32_t writes) {
  const std::vector<char> data(bytes, 'x');
  bpf_prog_info before{}, after{};
  const auto measure = [&](auto&& traffic) {
    before = statistics(program);
    traffic();
    after = statistics(program);
  };
  const auto traffic = [&] { transfer(family, data, writes); };
  if (hook == LB_HOOK_TC_EGRESS) {
    const Attached attached(program, kStream, hook);
    measure(traffic);
  } else {
    std::optional<Attached> attached;
    behind([&] { attached.emplace(program, kBehind, hook); });
    measure(traffic);
    behind([&] { attached.reset(); });
  }
  if (after.run_cnt == before.run_cnt) die("the kernel has measured no packet");
  return static_cast<double>(after.run_time_ns - before.run_time_ns) /
         static_cast<double>(after.run_cnt - before.run_cnt);
}

}  // namespace fairlead::bench
