// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/kube/api/coroutine.h"
#include "userspace/kube/api/transport.h"

namespace fairlead::kube {

// One answer of a server, or what keeps it from being had.
struct Reply {
  unsigned status = 200;
  std::vector<std::string> pieces = {};         // of the body
  std::optional<std::string> cut = {};          // instead of the body's end: the error
  std::optional<std::string> unreachable = {};  // instead of an answer: the error
  std::optional<std::chrono::seconds> retry_after = {};
  bool silent = false;              // nothing more comes, until it is interrupted: no answer where there is no piece
  Clock::duration each_after = {};  // how long a piece takes
};

// What was asked, and when.
struct Asked {
  std::string target;
  Clock::time_point at;
};

// Answers as a test has written down. When there is nothing more to answer, the io_context stops.
struct Script {
  std::deque<Reply> replies;
  std::vector<Asked> asked;
  std::vector<std::chrono::seconds> patience;  // of each read
  int closed = 0;
};

class ScriptedTransport : public Transport {
 public:
  ScriptedTransport(boost::asio::io_context& io, Script& script) : io_(io), script_(script) {}

  boost::asio::awaitable<Result<Answer>> send(Request request) override {
    script_.asked.push_back({request.target, Clock::now()});
    if (script_.replies.empty()) co_await stop();
    reply_ = std::move(script_.replies.front());
    script_.replies.pop_front();
    next_ = 0;
    if (reply_.unreachable) co_return Error{*reply_.unreachable, 0};
    if (reply_.silent && reply_.pieces.empty()) co_return co_await silence();
    co_return Answer{reply_.status, reply_.retry_after};
  }

  boost::asio::awaitable<Result<std::string_view>> read(Patience patience) override {
    script_.patience.push_back(std::chrono::duration_cast<std::chrono::seconds>(patience));
    if (reply_.each_after > Clock::duration::zero()) co_await wait_for(reply_.each_after);
    if (next_ < reply_.pieces.size()) co_return std::string_view(reply_.pieces[next_++]);
    if (reply_.silent) co_return co_await silence();
    if (reply_.cut) co_return Error{*reply_.cut, 0};
    co_return std::string_view();
  }

  void close() override { ++script_.closed; }
  void interrupt() override { silence_.cancel(); }

 private:
  boost::asio::awaitable<void> stop() {
    io_.stop();
    co_await wait_for(std::chrono::hours(1));
  }

  boost::asio::awaitable<Error> silence() {
    silence_.expires_after(std::chrono::hours(1));
    co_await silence_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return Error{"interrupted", ETIMEDOUT};
  }

  boost::asio::io_context& io_;
  boost::asio::steady_timer silence_{io_};
  Script& script_;
  Reply reply_;
  std::size_t next_ = 0;
};

}  // namespace fairlead::kube
