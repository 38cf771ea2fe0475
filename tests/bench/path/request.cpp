// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "tests/bench/path/load.h"
#include "tests/bench/path/serve.h"

namespace fairlead::bench {
namespace {

// Asks, waits for the answer, and asks again: by the same socket, or by a new one.
class RequestWorker : public Worker {
 public:
  RequestWorker(const LoadOptions& options, const Poll& poll, Result& result)
      : options_(options), poll_(poll), result_(result) {}

  void start(std::uint64_t id, Clock::time_point now) override {
    id_ = id;
    begin(now);
  }

  void handle(std::uint32_t events, Clock::time_point now) override {
    if (!socket_) return;
    if (!asked_)
      ask(events, now);
    else
      listen(now);
  }

  void check_time(Clock::time_point now) override {
    if (!socket_)
      begin(now);
    else if (now - asked_at_ > (by_udp() ? kDatagramPatience : kPatience))
      fail(now);
  }

 private:
  bool by_udp() const { return options_.kind == Kind::Datagrams || options_.kind == Kind::ShortDatagrams; }
  bool keeps_socket() const { return options_.kind == Kind::Requests || options_.kind == Kind::Datagrams; }
  bool server_closes() const { return options_.kind == Kind::ShortServerCloses; }

  void begin(Clock::time_point now) {
    Place place = options_.to;
    place.port = static_cast<std::uint16_t>(place.port + (server_closes() ? kAnswerOnce : kAnswer));
    asked_ = answered_ = false;
    asked_at_ = now;
    socket_ = connect_to(by_udp() ? SOCK_DGRAM : SOCK_STREAM, place);
    if (socket_)
      poll_.watch(socket_.get(), EPOLLOUT, id_);
    else
      ++result_.failed;  // begun again at the next check
  }

  void ask(std::uint32_t events, Clock::time_point now) {
    static constexpr std::array<char, kMessage> kQuestion{};
    if (events & (EPOLLERR | EPOLLHUP) ||
        send(socket_.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) != kMessage)
      return fail(now);
    asked_ = true;
    poll_.change(socket_.get(), EPOLLIN, id_);
  }

  void listen(Clock::time_point now) {
    std::array<char, kMessage> answer;
    const ssize_t size = recv(socket_.get(), answer.data(), answer.size(), 0);
    if (size < 0 || (size == 0 && !(answered_ && server_closes()))) return fail(now);
    answered_ = true;
    if (size > 0 && server_closes()) return;
    result_.times.add(now - asked_at_);
    if (!keeps_socket()) return begin(now);
    asked_at_ = now;
    ask(EPOLLOUT, now);
  }

  void fail(Clock::time_point now) {
    ++result_.failed;
    begin(now);
  }

  const LoadOptions& options_;
  const Poll& poll_;
  Result& result_;
  std::uint64_t id_ = 0;
  Fd socket_;
  bool asked_ = false, answered_ = false;
  Clock::time_point asked_at_;  // or begun to connect
};

}  // namespace

std::unique_ptr<Worker> make_request_worker(const LoadOptions& options, const Poll& poll, Result& result) {
  return std::make_unique<RequestWorker>(options, poll, result);
}

}  // namespace fairlead::bench
