// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

namespace fairlead::source::api {

// Runs it in the background. An exception, which nobody there can have expected, comes out of the io_context's run():
// better an end that is seen than something that silently goes on without it.
inline void spawn(boost::asio::io_context& io, boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(io, std::move(work), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

}  // namespace fairlead::source::api
