// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "userspace/kube/api/pulse.h"
#include "userspace/kube/api/transport.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// Tells an API server that has nothing to say from one that says nothing any more. A watch of HTTP/1.1 cannot be asked
// whether it lives, and TCP says only that some kernel does; so when nothing has come for a while, by any connection, a
// small question is asked on one of its own. Any answer will do.
//
// The question is /livez, which no queue of a busy API server holds up (API Priority and Fairness exempts it) and which
// nobody needs a right for.
class Heartbeat {
 public:
  // With these a silence is told 27 seconds after the last that was heard at the latest, two of which Client takes to
  // find out who we are.
  struct Timing {
    Clock::duration quiet = std::chrono::seconds(10);    // for so long nothing need be heard
    Clock::duration silence = std::chrono::seconds(15);  // for so long at least nothing was heard when it is told
    Clock::duration patience = std::chrono::seconds(7);  // for an answer, and before for a connection
    Clock::duration again = std::chrono::seconds(4);     // between questions in a silence, half of it at least
    Clock::duration look = std::chrono::seconds(1);      // how often it is seen what was heard
  };
  // Each in turn, a silence first. A server that has never been heard has not fallen silent.
  struct Tell {
    std::function<void(const Error& why, Clock::time_point last_heard)> silent;
    std::function<void()> heard;
  };

  Heartbeat(std::unique_ptr<Transport> transport, std::shared_ptr<Pulse> pulse, Timing timing, Tell tell)
      : transport_(std::move(transport)), pulse_(std::move(pulse)), timing_(timing), tell_(std::move(tell)) {}

  // For as long as the executor runs. The Heartbeat must live until then, or until the executor is gone.
  boost::asio::awaitable<void> run();

 private:
  Clock::duration pause();
  boost::asio::awaitable<Result<>> ask();
  void judge(Clock::time_point last_heard, const Result<>& answered);
  void end_silence();

  std::unique_ptr<Transport> transport_;
  std::shared_ptr<Pulse> pulse_;
  Timing timing_;
  Tell tell_;
  std::mt19937 random_{std::random_device{}()};
  std::optional<Clock::time_point> silent_since_;
};

}  // namespace fairlead::kube
