// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/host.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/lab.h"

// What lbd knows of devices and addresses while others change them.
namespace fairlead::test {
namespace {

// So many that the kernel tells of them in several parts.
constexpr int kAddresses = 1000;

Address address_number(int number) {
  Address address;
  address.bytes = {10, 9, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return address;
}

// Gives loopback addresses and takes them away.
class Loopback {
 public:
  Loopback() : socket_(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close) {}

  void add(int number) { ask(RTM_NEWADDR, NLM_F_CREATE, number); }
  void remove(int number) { ask(RTM_DELADDR, 0, number); }

 private:
  void ask(std::uint16_t type, std::uint16_t flags, int number) {
    std::array<char, 256> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = type;
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* header = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
    header->ifa_family = AF_INET;
    header->ifa_prefixlen = 32;
    header->ifa_index = 1;
    mnl_attr_put(message, IFA_LOCAL, 4, address_number(number).bytes.data());
    EXPECT_GT(mnl_socket_sendto(socket_.get(), message, message->nlmsg_len), 0);
  }

  std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> socket_;
};

// An address that comes and goes every few milliseconds.
class Unrest {
 public:
  Unrest() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

 private:
  static void run(const std::stop_token& stop) {
    Loopback loopback;
    while (!stop.stop_requested()) {
      loopback.add(kAddresses + 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      loopback.remove(kAddresses + 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  std::jthread thread_;
};

class HostUnderChange : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = missing_requirement()) GTEST_SKIP() << *missing;
  }

  // In a network namespace that goes with the thread, and has kAddresses.
  static void in_new_namespace(const std::function<void()>& body) {
    std::jthread([&] {
      ASSERT_EQ(unshare(CLONE_NEWNET), 0);
      Loopback loopback;
      for (int number = 1; number <= kAddresses; ++number)
        loopback.add(number);
      body();
    }).join();
  }

  // In the thread's network namespace.
  static void shell(const std::string& script) { ASSERT_EQ(std::system(("set -e; " + script).c_str()), 0) << script; }

  static int index_of(const char* device) { return static_cast<int>(if_nametoindex(device)); }

  static bool knows_all(const host::Host& host) {
    const std::set<Address> addresses = host.addresses();
    int missing = 0;
    for (int number = 1; number <= kAddresses; ++number)
      missing += !addresses.contains(address_number(number));
    return missing == 0;
  }

  // More notifications than the socket has room for.
  static void overflow() {
    Loopback loopback;
    for (int i = 0; i < 300; ++i) {
      loopback.add(kAddresses + 2);
      loopback.remove(kAddresses + 2);
    }
  }
};

TEST_F(HostUnderChange, IsReadWholeAtStart) {
  in_new_namespace([] {
    const Unrest unrest;
    for (int i = 0; i < 100; ++i) {
      const auto host = host::Host::open();
      ASSERT_TRUE(host) << host.error().message;
      EXPECT_TRUE(knows_all(*host));
    }
  });
}

TEST_F(HostUnderChange, IsReadWholeAfterAnOverflow) {
  in_new_namespace([] {
    auto host = host::Host::open();
    ASSERT_TRUE(host) << host.error().message;
    const Unrest unrest;
    for (int i = 0; i < 10; ++i) {
      overflow();
      const auto changes = host->read();
      ASSERT_TRUE(changes) << changes.error().message;
      EXPECT_TRUE(changes->devices);
      EXPECT_TRUE(knows_all(*host));
    }
  });
}

// No descriptor is left for the socket that is asked on.
TEST_F(HostUnderChange, StaysAsItWasWhereItCannotBeReadAnew) {
  in_new_namespace([] {
    auto host = host::Host::open();
    ASSERT_TRUE(host) << host.error().message;
    overflow();
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto failed = host->read();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(failed);
    EXPECT_TRUE(knows_all(*host));
    EXPECT_FALSE(host->addresses().contains(address_number(kAddresses + 3)));
    Loopback().add(kAddresses + 3);
    const auto changes = host->read();
    ASSERT_TRUE(changes) << changes.error().message;
    EXPECT_TRUE(changes->devices);
    EXPECT_TRUE(host->addresses().contains(address_number(kAddresses + 3)));
  });
}

struct DefaultRoute {
  const char *what, *script;
};

class DefaultRouteDevices : public HostUnderChange, public testing::WithParamInterface<DefaultRoute> {};

// As it is read, and as it is told of.
TEST_P(DefaultRouteDevices, AreThoseOfAllNextHopsAndTables) {
  in_new_namespace([] {
    shell(
        "for i in 1 2; do ip link add up$i type veth peer name peer$i; ip link set peer$i up; ip link set up$i up; "
        "ip address add 192.0.$i.2/24 dev up$i; ip address add 2001:db8:$i::2/64 dev up$i nodad; done");
    auto told = host::Host::open();
    ASSERT_TRUE(told) << told.error().message;
    EXPECT_EQ(told->default_route_devices(), std::set<int>{});
    shell(GetParam().script);
    const auto read = host::Host::open();
    ASSERT_TRUE(read) << read.error().message;
    const auto changes = told->read();
    ASSERT_TRUE(changes) << changes.error().message;
    EXPECT_TRUE(changes->devices);
    const std::set<int> both{index_of("up1"), index_of("up2")};
    EXPECT_EQ(read->default_route_devices(), both);
    EXPECT_EQ(told->default_route_devices(), both);
  });
}

INSTANTIATE_TEST_SUITE_P(
    , DefaultRouteDevices,
    testing::Values(
        DefaultRoute{"IPv4", "ip route add default nexthop via 192.0.1.1 dev up1 nexthop via 192.0.2.1 dev up2"},
        DefaultRoute{"IPv6",
                     "ip -6 route add default nexthop via 2001:db8:1::1 dev up1 nexthop via 2001:db8:2::1 dev up2"},
        DefaultRoute{"next_hop_group",
                     "ip nexthop add id 1 via 192.0.1.1 dev up1; ip nexthop add id 2 via 192.0.2.1 dev up2; "
                     "ip nexthop add id 3 group 1/2; ip route add default nhid 3"},
        DefaultRoute{
            "another_table",
            "ip route add default via 192.0.1.1 dev up1; ip route add default via 192.0.2.1 dev up2 table 1000"}),
    [](const auto& info) { return info.param.what; });

}  // namespace
}  // namespace fairlead::test
