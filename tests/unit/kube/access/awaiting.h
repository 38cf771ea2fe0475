// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// What an awaitable will give, once its io_context has run for long enough.
template <class T>
std::shared_ptr<std::optional<T>> begin(boost::asio::io_context& io, boost::asio::awaitable<T> work) {
  const auto outcome = std::make_shared<std::optional<T>>();
  boost::asio::co_spawn(io, std::move(work), [outcome](std::exception_ptr, T value) { *outcome = std::move(value); });
  return outcome;
}

// Whether the predicate comes true, by what happens in the loop or outside of it, while there is something to run.
template <class Predicate>
bool runs_until(boost::asio::io_context& io, Predicate predicate) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  io.restart();
  while (!predicate() && !io.stopped() && std::chrono::steady_clock::now() < deadline)
    io.run_one_for(std::chrono::milliseconds(10));
  return predicate();
}

// What an awaitable gives; the error "no outcome" if that takes too long.
template <class T>
T await(boost::asio::io_context& io, boost::asio::awaitable<T> work) {
  const auto outcome = begin(io, std::move(work));
  if (!runs_until(io, [&] { return outcome->has_value(); })) return Error{"no outcome", 0};
  return std::move(**outcome);
}

// A clock that is set by hand.
struct HandClock {
  std::chrono::system_clock::time_point time{std::chrono::seconds(1'700'000'000)};

  Timing timing() {
    return {[this] { return time; }, std::chrono::seconds(20)};
  }
};

}  // namespace fairlead::kube
