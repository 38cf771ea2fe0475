// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/kubernetes_source.h"

#include <algorithm>
#include <utility>

#include "userspace/kube/api/coroutine.h"

namespace fairlead::source {
namespace {

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
      timer_(io) {
}

Result<> KubernetesSource::start() {
  for (const Kind* kind : all_kinds())
    follow(*kind);
  for (const Informer& informer : informers_)
    kube::spawn(io_, informer.list_watch->run());
  events_.start();
  return {};
}

kube::Resource KubernetesSource::resource_of(const Kind& kind) const {
  const std::string one = kind.only_this_node ? "metadata.name=" + options_.node_name : "";
  return {path_of(kind), std::string(kind.label_selector), one.empty() ? std::string(kind.field_selector) : one};
}

void KubernetesSource::follow(const Kind& kind) {
  Reflector::Handlers handlers;
  handlers.changed = [this] { changed(); };
  handlers.problem = [this, &kind](const model::Problem& problem, const model::Name& name, const std::string& uid) {
    if (problems_.insert(problem).second && handlers_.on_problem) handlers_.on_problem(problem);
    if (kind.has_namespace && !name.name.empty()) warn(kind, name, uid, "Invalid", problem.to_string());
  };
  handlers.solved = [this](const model::Problem& problem) {
    if (problems_.erase(problem) && handlers_.on_solved) handlers_.on_solved(problem);
  };
  Informer informer;
  informer.reflector = std::make_unique<Reflector>(kind, access_.cluster.url(), store_, std::move(handlers));
  informer.list_watch = std::make_unique<kube::ListWatch>(std::make_unique<kube::Client>(access_, pace_),
                                                          resource_of(kind), *informer.reflector, options_.timing);
  informers_.push_back(std::move(informer));
}

bool KubernetesSource::complete() const {
  return std::all_of(informers_.begin(), informers_.end(),
                     [](const Informer& informer) { return informer.reflector->is_complete(); });
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

// What has arrived together is told together: whoever is reading an answer goes on first.
void KubernetesSource::changed() {
  const bool listed = std::all_of(informers_.begin(), informers_.end(),
                                  [](const Informer& informer) { return informer.reflector->has_listed(); });
  if (!listed || std::exchange(telling_, true)) return;
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
