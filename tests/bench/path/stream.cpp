// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <vector>

#include "tests/bench/path/load.h"
#include "tests/bench/path/serve.h"

namespace fairlead::bench {
namespace {

class StreamWorker : public Worker {
 public:
  StreamWorker(const LoadOptions& options, const Poll& poll, Result& result)
      : sends_(options.kind == Kind::Upload), place_(options.to), poll_(poll), result_(result), chunk_(256 * 1024) {
    place_.port = static_cast<std::uint16_t>(place_.port + (sends_ ? kSink : kSource));
  }

  void start(std::uint64_t id, Clock::time_point now) override {
    id_ = id;
    begin(now);
  }

  void handle(std::uint32_t, Clock::time_point now) override {
    if (!socket_) return;
    const ssize_t size = sends_ ? send(socket_.get(), chunk_.data(), chunk_.size(), MSG_NOSIGNAL)
                                : recv(socket_.get(), chunk_.data(), chunk_.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return fail(now);
    result_.bytes += static_cast<std::uint64_t>(size);
    moved_at_ = now;
  }

  void check_time(Clock::time_point now) override {
    if (!socket_)
      begin(now);
    else if (now - moved_at_ > kPatience)
      fail(now);
  }

 private:
  void begin(Clock::time_point now) {
    moved_at_ = now;
    socket_ = connect_to(SOCK_STREAM, place_);
    if (socket_)
      poll_.watch(socket_.get(), sends_ ? EPOLLOUT : EPOLLIN, id_);
    else
      ++result_.failed;  // begun again at the next check
  }

  void fail(Clock::time_point now) {
    ++result_.failed;
    begin(now);
  }

  bool sends_;
  Place place_;
  const Poll& poll_;
  Result& result_;
  std::vector<char> chunk_;
  std::uint64_t id_ = 0;
  Fd socket_;
  Clock::time_point moved_at_;
};

}  // namespace

std::unique_ptr<Worker> make_stream_worker(const LoadOptions& options, const Poll& poll, Result& result) {
  return std::make_unique<StreamWorker>(options, poll, result);
}

}  // namespace fairlead::bench
