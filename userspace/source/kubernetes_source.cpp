// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/kubernetes_source.h"

#include <algorithm>
#include <utility>

#include "userspace/kube/api/coroutine.h"

namespace fairlead::source {
namespace {

// What kube-proxy selects too: other proxies' services and headless ones are not for us.
const kube::Resource kServices{"/api/v1/services", "!service.kubernetes.io/service-proxy-name", "spec.clusterIP!=None"};
const kube::Resource kSlices{"/apis/discovery.k8s.io/v1/endpointslices", "!service.kubernetes.io/headless", ""};

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
  follow(Kind::kService, kServices);
  follow(Kind::kEndpointSlice, kSlices);
  follow(Kind::kNode, {"/api/v1/nodes", "", "metadata.name=" + options_.node_name});
  for (const Informer& informer : informers_)
    kube::spawn(io_, informer.list_watch->run());
  events_.start();
  return {};
}

void KubernetesSource::follow(Kind kind, kube::Resource resource) {
  Reflector::Handlers handlers;
  handlers.changed = [this] { changed(); };
  handlers.problem = [this, kind](const model::Problem& problem, const model::Name& name, const std::string& uid) {
    if (problems_.insert(problem).second && handlers_.on_problem) handlers_.on_problem(problem);
    if (name.name.empty()) return;
    if (kind == Kind::kService) events_.warn({"Service", "v1", name, uid, "Invalid", problem.to_string()});
    if (kind == Kind::kEndpointSlice)
      events_.warn({"EndpointSlice", "discovery.k8s.io/v1", name, uid, "Invalid", problem.to_string()});
  };
  handlers.solved = [this](const model::Problem& problem) {
    if (problems_.erase(problem) && handlers_.on_solved) handlers_.on_solved(problem);
  };
  Informer informer;
  informer.reflector = std::make_unique<Reflector>(kind, access_.cluster.url(), store_, std::move(handlers));
  informer.list_watch = std::make_unique<kube::ListWatch>(kube::Client(access_, pace_), std::move(resource),
                                                          *informer.reflector, options_.timing);
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
    events_.warn({"Service", "v1", service->name, service->uid, remark.reason, remark.message});
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
