// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/event_recorder.h"

#include <openssl/sha.h>
#include <spdlog/spdlog.h>

#include <boost/algorithm/hex.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "userspace/document/text.h"
#include "userspace/kube/api/coroutine.h"
#include "userspace/util/timestamp.h"
#include "userspace/util/utf8.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::chrono::hours kForgetAfter{1};  // the API server forgets events after an hour, too
constexpr std::size_t kMostWaiting = 256;
constexpr std::size_t kMostAboutOne = 10;
constexpr double kBurst = 25, kPerSecond = 0.5;
constexpr std::size_t kLongestMessage = 1000;  // the API allows 1024
constexpr unsigned kConflict = 409, kTooManyRequests = 429;

// The same on every node, and another one for each object, reason and message.
std::string event_name(const Warning& warning) {
  const std::string text = warning.uid + "\n" + warning.reason + "\n" + warning.message;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  boost::algorithm::hex_lower(digest, digest + 8, std::back_inserter(hex));
  return warning.name.name + "." + hex;
}

}  // namespace

EventRecorder::EventRecorder(asio::io_context& io, Access access, Options options)
    : io_(io),
      options_(std::move(options)),
      client_(std::move(access), std::make_shared<TokenBucket>(kPerSecond, kBurst), std::make_shared<Pulse>()),
      backoff_(options_.backoff),
      work_(io, Clock::time_point::max()) {
}

void EventRecorder::start() {
  spawn(io_, run());
}

void EventRecorder::warn(Warning warning) {
  if (!is_new(warning, event_name(warning), Clock::now())) return;
  if (waiting_.size() >= kMostWaiting) return;
  waiting_.push_back(std::move(warning));
  work_.cancel();
}

void EventRecorder::forget(Told& told, Clock::time_point now) {
  std::erase_if(told, [&](const auto& one) { return now - one.second > kForgetAfter; });
}

void EventRecorder::forget(Clock::time_point now) {
  if (now - forgot_at_ <= kForgetAfter) return;
  forgot_at_ = now;
  for (auto about = told_.begin(); about != told_.end();) {
    forget(about->second, now);
    about = about->second.empty() ? told_.erase(about) : std::next(about);
  }
}

bool EventRecorder::is_new(const Warning& warning, const std::string& event, Clock::time_point now) {
  forget(now);
  Told& told = told_[warning.name.to_string() + " " + warning.uid];
  forget(told, now);
  if (told.size() >= kMostAboutOne) return false;
  return told.emplace(event, now).second;
}

asio::awaitable<void> EventRecorder::run() {
  while (true) {
    if (waiting_.empty()) co_await wait_for_work();
    if (waiting_.empty()) continue;
    const Warning warning = waiting_.front();
    const bool written = co_await write(warning);
    if (written) {
      waiting_.pop_front();
      backoff_.reset();
    }
  }
}

asio::awaitable<void> EventRecorder::wait_for_work() {
  work_.expires_at(Clock::time_point::max());
  co_await work_.async_wait(asio::as_tuple(asio::use_awaitable));
}

// Whether there is nothing more to do about it: it is there, or never will be.
asio::awaitable<bool> EventRecorder::write(const Warning& warning) {
  Request request;
  request.method = http::verb::post;
  request.target = "/api/v1/namespaces/" + warning.name.space + "/events";
  request.content_type = "application/json";
  request.body = to_json(warning);
  auto answer = co_await client_.send(request);
  if (answer && (answer->ok() || answer->status == kConflict)) {
    client_.close();
    co_return true;
  }
  const bool later = !answer || answer->status >= 500 || answer->status == kTooManyRequests;
  Clock::duration pause = backoff_.next(random_);
  const auto retry_after = answer ? answer->retry_after : std::nullopt;
  if (retry_after) pause += std::min<Clock::duration>(*retry_after, kForgetAfter);
  Error error;
  if (answer) {
    error = co_await client_.refusal("an event about " + warning.name.to_string(), *answer);
  } else {
    error = answer.error();
  }
  client_.close();
  if (later) {
    spdlog::debug("{}; trying again", error.message);
    co_await wait_for(pause);
  } else {
    spdlog::warn("{}", error.message);
  }
  co_return !later;
}

std::string EventRecorder::to_json(const Warning& warning) const {
  const std::string now = format_timestamp(std::chrono::system_clock::now());
  const boost::json::value event = {{"apiVersion", "v1"},
                                    {"kind", "Event"},
                                    {"metadata", {{"name", event_name(warning)}, {"namespace", warning.name.space}}},
                                    {"involvedObject",
                                     {{"apiVersion", warning.api_version},
                                      {"kind", warning.kind},
                                      {"namespace", warning.name.space},
                                      {"name", warning.name.name},
                                      {"uid", warning.uid}}},
                                    {"type", "Warning"},
                                    {"reason", warning.reason},
                                    {"message", document::shortened(warning.message, kLongestMessage)},
                                    {"source", {{"component", "fairlead"}, {"host", options_.node_name}}},
                                    {"reportingComponent", "fairlead"},
                                    {"reportingInstance", options_.node_name},
                                    {"firstTimestamp", now},
                                    {"lastTimestamp", now},
                                    {"count", 1}};
  return as_utf8(boost::json::serialize(event));
}

}  // namespace fairlead::kube
