// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/kubernetes_source.h"

#include <algorithm>
#include <utility>

#include "userspace/kube/api/coroutine.h"
#include "userspace/kube/api/prompt_credentials.h"

namespace fairlead::source {
namespace {

// Between two watches there is a moment in which nothing is followed.
constexpr std::chrono::seconds kMoment{2};
// For a plugin to say who we are, before the server is asked without it whether it lives.
constexpr std::chrono::seconds kPromptly{2};

void pass_on(const std::function<void(const model::Problem&)>& whom, const model::Problem& problem) {
  if (whom) whom(problem);
}

std::string path_of(const Kind& kind) {
  const std::string root = group_of(kind.api_version).empty() ? "/api/" : "/apis/";
  return root + std::string(kind.api_version) + "/" + std::string(kind.plural);
}

}  // namespace

KubernetesSource::KubernetesSource(boost::asio::io_context& io, kube::Access access,
                                   std::shared_ptr<kube::TokenBucket> pace, Options options, model::Store& store,
                                   Handlers handlers)
    : io_(io),
      access_(std::move(access)),
      pace_(std::move(pace)),
      options_(std::move(options)),
      store_(store),
      handlers_(std::move(handlers)),
      events_(io, access_, {options_.node_name, {}}),
      heartbeat_(make_heartbeat()),
      troubles_(access_.cluster.url(), {[this](const auto& problem) { pass_on(handlers_.on_problem, problem); },
                                        [this](const auto& problem) { pass_on(handlers_.on_solved, problem); }}),
      timer_(io) {
}

Result<> KubernetesSource::start() {
  for (const Kind* kind : all_kinds())
    if (!kind->only_in_files) follow(*kind);
  for (const Informer& informer : informers_)
    kube::spawn(io_, informer.list_watch->run());
  kube::spawn(io_, heartbeat_.run());
  events_.start();
  return {};
}

kube::Heartbeat KubernetesSource::make_heartbeat() {
  kube::Access access{access_.cluster, std::make_shared<kube::PromptCredentials>(access_.credentials, kPromptly)};
  auto client = std::make_unique<kube::Client>(std::move(access), std::make_shared<kube::TokenBucket>(1, 1), pulse_);
  kube::Heartbeat::Tell tell;
  tell.silent = [this](const Error& why, kube::Clock::time_point last_heard) {
    for (const Informer& informer : informers_)
      informer.list_watch->interrupt("is not heard any more: " + why.message, last_heard);
  };
  tell.heard = [this] {
    for (const Informer& informer : informers_)
      informer.list_watch->hurry();
  };
  return {std::move(client), pulse_, options_.heartbeat, std::move(tell)};
}

kube::Resource KubernetesSource::resource_of(const Kind& kind) const {
  const std::string one = kind.only_this_node ? "metadata.name=" + options_.node_name : "";
  return {path_of(kind), std::string(kind.label_selector), one.empty() ? std::string(kind.field_selector) : one};
}

void KubernetesSource::follow(const Kind& kind) {
  Reflector::Handlers handlers;
  handlers.changed = [this] { changed(); };
  handlers.problem = [this, &kind](const model::Problem& problem, const model::Name& name, const std::string& uid) {
    if (problems_.insert(problem).second) pass_on(handlers_.on_problem, problem);
    if (kind.has_namespace && !name.name.empty()) warn(kind, name, uid, "Invalid", problem.to_string());
  };
  handlers.solved = [this](const model::Problem& problem) {
    if (problems_.erase(problem)) pass_on(handlers_.on_solved, problem);
  };
  handlers.trouble = [this, &kind](const std::string& message) { set_trouble(kind, message); };
  Informer informer;
  informer.reflector = std::make_unique<Reflector>(kind, store_, std::move(handlers));
  informer.list_watch =
      std::make_unique<kube::ListWatch>(io_.get_executor(), std::make_unique<kube::Client>(access_, pace_, pulse_),
                                        resource_of(kind), *informer.reflector, options_.timing);
  informers_.push_back(std::move(informer));
}

void KubernetesSource::set_trouble(const Kind& kind, const std::string& message) {
  for (const model::Problem& before : troubles_.current())
    problems_.erase(before);
  troubles_.set(std::string(kind.plural), message);
  problems_.merge(troubles_.current());
}

Contact KubernetesSource::contact() const {
  Contact contact{pulse_->last(), {}};
  const auto moment_ago = kube::Clock::now() - kMoment;
  for (const Informer& informer : informers_)
    if (const auto& since = informer.list_watch->behind_since(); since && *since < moment_ago)
      contact.behind_since = std::min(*since, contact.behind_since.value_or(*since));
  return contact;
}

Unread KubernetesSource::unread() const {
  Unread unread;
  for (const Informer& informer : informers_)
    unread.merge(informer.reflector->unread());
  return unread;
}

std::string KubernetesSource::name() const {
  return "kubernetes " + access_.cluster.url();
}

void KubernetesSource::remark(const Remark& remark) {
  if (const model::Service* service = store_.service(remark.service))
    warn(kService, service->name, service->uid, remark.reason, remark.message);
}

void KubernetesSource::warn(const Kind& kind, const model::Name& name, const std::string& uid,
                            const std::string& reason, const std::string& message) {
  events_.warn({std::string(kind.name), std::string(kind.api_version), name, uid, reason, message});
}

bool KubernetesSource::has_listed() const {
  return std::all_of(informers_.begin(), informers_.end(),
                     [](const Informer& informer) { return informer.reflector->has_listed(); });
}

// What has arrived together is told together: whoever is reading an answer goes on first.
void KubernetesSource::changed() {
  if (!has_listed() || std::exchange(telling_, true)) return;
  timer_.expires_at(std::max(not_before_, kube::Clock::now()));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tell();
  });
}

void KubernetesSource::tell() {
  telling_ = false;
  const auto begin = kube::Clock::now();
  if (handlers_.on_sync) handlers_.on_sync(store_);
  const auto end = kube::Clock::now();
  not_before_ = end + std::min<kube::Clock::duration>(2 * (end - begin), kLongestPause);
}

}  // namespace fairlead::source
