// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::host {

// Asks rtnetlink once for everything of a kind (RTM_GET...) that the header narrows down to, and visits each message of
// the answer. On a socket of its own, so that the answer is not mixed with notifications. The error's code is EINTR
// where something has changed under way: then the answer may lack what has been there all the time.
Result<> try_netlink_dump(int type, std::span<const std::byte> header,
                          const std::function<void(const nlmsghdr*)>& visit);

// For those who have others waiting.
constexpr std::chrono::seconds kDumpPatience{1};

// The same until the answer is whole, or the patience at its end: what visit(answer, message) makes of `begin`, with
// which each try begins.
template <class Answer, class Visit>
Result<Answer> netlink_dump(int type, std::span<const std::byte> header, const Answer& begin, Visit visit,
                            std::chrono::seconds patience = kDumpPatience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    Answer answer = begin;
    const auto told = try_netlink_dump(type, header, [&](const nlmsghdr* message) { visit(answer, message); });
    if (told) return answer;
    if (told.error().code != EINTR || std::chrono::steady_clock::now() >= end) return told.error();
  }
}

// Has rtnetlink do what these messages ask for, one after the other in one call: of a process that is killed meanwhile
// all of them are done or none. Returns the errno of each; 0: done.
Result<std::vector<int>> netlink_do(std::span<const nlmsghdr* const> messages);

}  // namespace fairlead::host
