// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/heartbeat.h"

#include "userspace/kube/api/coroutine.h"

namespace fairlead::kube {

namespace asio = boost::asio;

asio::awaitable<void> Heartbeat::run() {
  while (true) {
    co_await wait_for(pause());
    const auto heard = pulse_->last();
    if (!heard) continue;
    if (silent_since_ && *heard != *silent_since_) end_silence();
    if (!silent_since_ && Clock::now() < *heard + timing_.quiet) continue;
    judge(*heard, co_await ask());
  }
}

// Not the same for all nodes, which a server has left in the same moment.
Clock::duration Heartbeat::pause() {
  if (!silent_since_) return timing_.look;
  std::uniform_int_distribution<Clock::rep> distribution(timing_.again.count() / 2, timing_.again.count());
  return Clock::duration(distribution(random_));
}

asio::awaitable<Result<>> Heartbeat::ask() {
  Request request;
  request.target = "/livez";
  request.patience = timing_.patience;
  const auto answer = co_await transport_->send(std::move(request));
  if (!answer) co_return answer.error();
  pulse_->beat();
  // To its end, so that the connection can be used again.
  while (true) {
    const auto piece = co_await transport_->read(timing_.patience);
    if (!piece || piece->empty()) co_return Result<>();
  }
}

// What others have heard meanwhile is as good as an answer.
void Heartbeat::judge(Clock::time_point last_heard, const Result<>& answered) {
  if (pulse_->last() != last_heard) return end_silence();
  if (answered || silent_since_ || Clock::now() < last_heard + timing_.silence) return;
  silent_since_ = last_heard;
  tell_.silent(answered.error(), last_heard);
}

void Heartbeat::end_silence() {
  if (std::exchange(silent_since_, std::nullopt)) tell_.heard();
}

}  // namespace fairlead::kube
