// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/list_watch.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/url/url.hpp>

#include "userspace/document/text.h"
#include "userspace/kube/api/coroutine.h"
#include "userspace/kube/api/json_text.h"
#include "userspace/kube/api/version.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr int kGone = 410;
constexpr int kGatewayTimeout = 504;  // also: the version asked for is in the server's future
constexpr int kBadRequest = 400;
constexpr const char* kPart = "500";
constexpr std::chrono::minutes kLongestRetryAfter{5};
// A watch that lived so long was no failure.
constexpr std::chrono::seconds kHealthy{5};

const json::value* at(const json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  return value.find_pointer(pointer, error);
}

std::int64_t number_at(const json::value& value, std::string_view pointer) {
  const json::value* found = at(value, pointer);
  return found && found->is_int64() ? found->get_int64() : 0;
}

}  // namespace

ListWatch::ListWatch(const asio::any_io_executor& executor, std::unique_ptr<Transport> transport, Resource resource,
                     Listener& listener, Timing timing)
    : transport_(std::move(transport)),
      resource_(std::move(resource)),
      listener_(listener),
      timing_(timing),
      backoff_(timing.backoff),
      resting_(executor),
      settling_(executor) {
}

asio::awaitable<void> ListWatch::run() {
  while (true) {
    Outcome outcome;
    if (must_list_) {
      outcome = co_await list();
    } else {
      outcome = co_await watch();
    }
    if (!outcome) continue;
    must_list_ = must_list_ || outcome->start_over;
    // Trouble of another kind: its waits begin anew.
    if (std::exchange(starts_over_, outcome->start_over) != outcome->start_over) backoff_.reset();
    if (!outcome->message.empty()) listener_.trouble(outcome->message);
    co_await pause(*outcome);
  }
}

asio::awaitable<void> ListWatch::pause(const Setback& setback) {
  Clock::duration wait = backoff_.next(random_);
  if (setback.retry_after) wait += std::min<Clock::duration>(*setback.retry_after, kLongestRetryAfter);
  may_hurry_ = !setback.retry_after;
  resting_.expires_after(wait);
  co_await resting_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void ListWatch::hurry() {
  if (!may_hurry_) return;
  backoff_.reset();
  resting_.cancel();
}

void ListWatch::interrupt(const std::string& why, Clock::time_point last_heard) {
  end_watch();
  behind_since_ = std::min(behind_since_.value_or(last_heard), last_heard);
  listener_.trouble(why);
  transport_->interrupt();
}

std::string ListWatch::target(const std::vector<std::pair<std::string, std::string>>& parameters) const {
  boost::urls::url url(resource_.path);
  const auto append = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) url.params().append({key, value});
  };
  append("labelSelector", resource_.label_selector);
  append("fieldSelector", resource_.field_selector);
  for (const auto& [key, value] : parameters)
    append(key, value);
  return std::string(url.buffer());
}

asio::awaitable<ListWatch::Outcome> ListWatch::list() {
  listener_.list_begun();
  std::string next, version;
  do {
    if (auto setback = co_await list_part(next, version)) co_return setback;
  } while (!next.empty());
  whole_list_ = lists_newest_ = must_list_ = false;
  version_ = version;
  behind_since_ = Clock::now();
  listener_.list_complete();
  co_return std::nullopt;
}

Request ListWatch::list_request(const std::string& part) const {
  std::vector<std::pair<std::string, std::string>> parameters{{"limit", whole_list_ ? "" : kPart}, {"continue", part}};
  // Another part is of the version of the first.
  if (part.empty() && !lists_newest_) {
    parameters.emplace_back("resourceVersion", version_.empty() ? "0" : version_);
    parameters.emplace_back("resourceVersionMatch", "NotOlderThan");
  }
  Request request;
  request.target = target(parameters);
  return request;
}

// The version of a list in parts is that of its first part for all of them.
asio::awaitable<ListWatch::Outcome> ListWatch::list_part(std::string& next, std::string& version) {
  auto answer = co_await transport_->send(list_request(next));
  if (!answer) co_return Setback{answer.error().message};
  if (!answer->ok()) {
    Setback setback = co_await refused("list", *answer);
    whole_list_ = whole_list_ || (setback.start_over && !next.empty());
    // Some version of it is known to whoever answers at all.
    const bool is_too_much = !version_.empty() || answer->status == kBadRequest;
    lists_newest_ = lists_newest_ || (setback.start_over && next.empty() && is_too_much);
    co_return setback;
  }
  ListStream stream([this](const json::value& item) { listener_.listed(item); });
  if (auto setback = co_await read_list(stream, Clock::now() + timing_.list)) {
    transport_->close();
    co_return setback;
  }
  next = stream.continue_token();
  version = stream.resource_version();
  co_return std::nullopt;
}

asio::awaitable<ListWatch::Outcome> ListWatch::read_list(ListStream& stream, Clock::time_point deadline) {
  while (true) {
    const Clock::duration left = deadline - Clock::now();
    if (left <= Clock::duration::zero()) co_return Setback{"list of " + resource_.path + ": takes too long"};
    const auto piece = co_await transport_->read(std::min<Clock::duration>(timing_.patience, left));
    if (!piece) co_return Setback{piece.error().message};
    const auto fed = piece->empty() ? stream.finish() : stream.feed(*piece);
    if (!fed) co_return Setback{"list of " + resource_.path + ": " + fed.error().message};
    if (piece->empty()) co_return std::nullopt;
  }
}

asio::awaitable<ListWatch::Setback> ListWatch::refused(const std::string& what, Answer answer) {
  const Error error = co_await transport_->refusal(what + " of " + resource_.path, answer);
  transport_->close();
  const bool forgotten = error.code == kGone || error.code == kGatewayTimeout || error.code == kBadRequest;
  co_return Setback{error.message, forgotten, answer.retry_after};
}

asio::awaitable<ListWatch::Outcome> ListWatch::watch() {
  const auto begin = Clock::now();
  std::uniform_int_distribution<std::chrono::seconds::rep> length(timing_.watch.count(), 2 * timing_.watch.count());
  Request request;
  request.target = target({{"watch", "true"},
                           {"allowWatchBookmarks", "true"},
                           {"resourceVersion", version_},
                           {"timeoutSeconds", std::to_string(length(random_))}});
  auto answer = co_await transport_->send(request);
  if (!answer) co_return Setback{answer.error().message};
  if (!answer->ok()) co_return co_await refused("watch", *answer);
  begin_watch();
  auto outcome = co_await read_watch();
  if (outcome)
    transport_->close();
  else
    watch_stands();
  end_watch();
  if (Clock::now() - begin >= kHealthy) {
    // Its time was up, or its connection was cut: the next one goes on where it ended.
    if (outcome && !outcome->start_over) co_return std::nullopt;
  } else if (!outcome) {
    co_return Setback{};
  }
  co_return outcome;
}

void ListWatch::begin_watch() {
  watching_ = true;
  settling_.expires_after(timing_.settle);
  settling_.async_wait([this](const boost::system::error_code& error) {
    if (!error) watch_stands();
  });
}

void ListWatch::watch_stands() {
  if (!watching_ || !behind_since_) return;
  behind_since_.reset();
  listener_.trouble("");
}

void ListWatch::end_watch() {
  watching_ = false;
  settling_.cancel();
  if (!behind_since_) behind_since_ = Clock::now();
}

asio::awaitable<ListWatch::Outcome> ListWatch::read_watch() {
  Outcome outcome;
  WatchStream stream([&](const json::value& value) {
    if (!outcome) outcome = event(value);
  });
  while (true) {
    auto piece = co_await transport_->read(timing_.idle);
    if (!piece) co_return Setback{piece.error().message};
    if (piece->empty() && stream.in_the_middle())
      co_return Setback{"watch of " + resource_.path + ": cut off in the middle of an event"};
    if (piece->empty()) co_return std::nullopt;
    if (auto fed = stream.feed(*piece); !fed && !outcome)
      co_return Setback{"watch of " + resource_.path + ": " + fed.error().message};
    if (outcome) co_return outcome;
  }
}

ListWatch::Outcome ListWatch::event(const json::value& event) {
  const std::string type = text_at(event, "/type");
  const json::value* object = at(event, "/object");
  if (!object || !object->is_object())
    return Setback{"watch of " + resource_.path + ": no event: " + document::shortened(json::serialize(event))};
  if (type == "ERROR") {
    const auto code = number_at(*object, "/code");
    const std::string message =
        "watch of " + resource_.path + ": " + document::shortened(text_at(*object, "/message"), 300);
    return Setback{message, code == kGone || code == kGatewayTimeout};
  }
  const std::string version = text_at(*object, "/metadata/resourceVersion");
  if (version.empty())
    return Setback{"watch of " + resource_.path +
                   ": an event without metadata.resourceVersion: " + document::shortened(json::serialize(event))};
  watch_stands();
  if (type != "BOOKMARK") {
    const auto change = type == "DELETED" ? Listener::Change::kDeleted : Listener::Change::kAddedOrModified;
    if (!listener_.changed(change, *object))
      return Setback{"watch of " + resource_.path + ": events are not in order", true};
  }
  if (!is_older(version, version_)) version_ = version;
  backoff_.reset();
  return std::nullopt;
}

}  // namespace fairlead::kube
