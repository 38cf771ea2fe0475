// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/tc_qdiscs.h"

#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <array>
#include <string_view>
#include <vector>

#include "userspace/host/attributes.h"
#include "userspace/host/device_name.h"
#include "userspace/host/netlink.h"

namespace fairlead::host {
namespace {

constexpr std::uint32_t kIngress = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
constexpr std::uint16_t kNew = NLM_F_CREATE | NLM_F_EXCL;

void add_qdisc(std::map<int, std::string>& qdiscs, const nlmsghdr* message) {
  const Attributes all = attributes(message, sizeof(tcmsg));
  const nlattr* attribute = get(all, TCA_KIND);
  const std::string_view kind = attribute ? mnl_attr_get_str(attribute) : "";
  if (kind == "clsact" || kind == "ingress")
    qdiscs[static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message))->tcm_ifindex] = kind;
}

tcmsg chains_of(int ifindex) {
  tcmsg which{};
  which.tcm_ifindex = ifindex;
  which.tcm_parent = kIngress;
  return which;
}

// A request in memory of its own.
class Request {
 public:
  Request(std::uint16_t type, std::uint16_t flags, const tcmsg& about) {
    nlmsghdr* message = mnl_nlmsg_put_header(buffer_.data());
    message->nlmsg_type = type;
    message->nlmsg_flags = flags;
    *static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(tcmsg))) = about;
  }
  nlmsghdr* get() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

 private:
  alignas(nlmsghdr) std::array<char, 128> buffer_{};
};

Request about_clsact(std::uint16_t type, std::uint16_t flags, int ifindex) {
  tcmsg which{};
  which.tcm_ifindex = ifindex;
  which.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  which.tcm_parent = TC_H_CLSACT;
  Request request(type, flags, which);
  mnl_attr_put_strz(request.get(), TCA_KIND, "clsact");
  return request;
}

Request about_mark(std::uint16_t type, std::uint16_t flags, int ifindex, std::uint32_t mark) {
  Request request(type, flags, chains_of(ifindex));
  mnl_attr_put_u32(request.get(), TCA_CHAIN, mark);
  return request;
}

// The errno of each of the two, or of one.
template <class... Requests>
Result<std::vector<int>> ask(Requests... requests) {
  return netlink_do(std::array<const nlmsghdr*, sizeof...(requests)>{requests.get()...});
}

}  // namespace

Result<std::map<int, std::string>> tc_filter_qdiscs() {
  tcmsg any{};
  return netlink_dump(RTM_GETQDISC, std::as_bytes(std::span(&any, 1)), std::map<int, std::string>(), add_qdisc);
}

// The mark of a qdisc that somebody has made meanwhile goes again.
Result<> make_marked_clsact(int ifindex, std::uint32_t mark) {
  const auto made = ask(about_clsact(RTM_NEWQDISC, kNew, ifindex), about_mark(RTM_NEWCHAIN, kNew, ifindex, mark));
  if (!made) return made.error();
  const int no_qdisc = made->at(0), no_mark = made->at(1);
  if (no_qdisc && !no_mark) ask(about_mark(RTM_DELCHAIN, 0, ifindex, mark)).has_value();
  if (!no_qdisc && no_mark) ask(about_clsact(RTM_DELQDISC, 0, ifindex)).has_value();
  if (no_qdisc || no_mark)
    return make_error("make a clsact qdisc for", device_name(ifindex), no_qdisc ? no_qdisc : no_mark);
  return {};
}

Result<bool> is_marked_clsact(int ifindex, std::uint32_t mark) {
  const tcmsg which = chains_of(ifindex);
  return netlink_dump(RTM_GETCHAIN, std::as_bytes(std::span(&which, 1)), false,
                      [&](bool& marked, const nlmsghdr* message) {
                        const Attributes all = attributes(message, sizeof(tcmsg));
                        const nlattr* chain = get(all, TCA_CHAIN);
                        marked = marked || (chain && mnl_attr_get_u32(chain) == mark);
                      });
}

Result<> remove_clsact(int ifindex) {
  const auto removed = ask(about_clsact(RTM_DELQDISC, 0, ifindex));
  if (!removed) return removed.error();
  if (removed->at(0) == 0) return {};
  const auto left = tc_filter_qdiscs();
  if (left && !left->contains(ifindex)) return {};
  return make_error("remove the clsact qdisc of", device_name(ifindex), removed->at(0));
}

Result<> remove_clsact_mark(int ifindex, std::uint32_t mark) {
  const auto removed = ask(about_mark(RTM_DELCHAIN, 0, ifindex, mark));
  if (!removed) return removed.error();
  if (removed->at(0) == 0) return {};
  const auto left = is_marked_clsact(ifindex, mark);
  if (left && !*left) return {};
  return make_error("remove the mark of the clsact qdisc of", device_name(ifindex), removed->at(0));
}

}  // namespace fairlead::host
