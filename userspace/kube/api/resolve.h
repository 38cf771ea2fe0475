// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::kube {

// The addresses of a host, by the system's resolver. That cannot be interrupted: where it takes too long, which is an
// error with the code ETIMEDOUT, it is left to itself.
boost::asio::awaitable<Result<boost::asio::ip::tcp::resolver::results_type>> resolve(
    std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline);

}  // namespace fairlead::kube
