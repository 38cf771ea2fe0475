// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/make_source.h"

#include "userspace/kube/access/by_url.h"
#include "userspace/kube/access/in_cluster.h"
#include "userspace/kube/access/kubeconfig.h"
#include "userspace/source/file_source.h"
#include "userspace/source/kubernetes_source.h"

namespace fairlead::daemon {
namespace {

Result<kube::Access> make_access(const Options& options) {
  if (!options.kubeconfig.empty())
    return kube::from_kubeconfig(kube::kubeconfig_files(options.kubeconfig), {}, options.master);
  return options.master.empty() ? kube::in_cluster() : kube::by_url(options.master);
}

std::shared_ptr<kube::TokenBucket> make_pace(const Options& options) {
  const double unlimited = 1e9;
  return std::make_shared<kube::TokenBucket>(options.kube_api_qps < 0 ? unlimited : options.kube_api_qps,
                                             options.kube_api_burst);
}

}  // namespace

Result<std::unique_ptr<source::Source>> make_source(boost::asio::io_context& io, const Options& options,
                                                    model::Store& store, source::Handlers handlers) {
  if (options.source == "kubernetes") {
    auto access = make_access(options);
    if (!access) return access.error();
    return std::make_unique<source::KubernetesSource>(io, std::move(*access), make_pace(options),
                                                      source::KubernetesSource::Options{options.node_name, {}, {}},
                                                      store, std::move(handlers));
  }
  source::FileSource::Options file;
  file.directory = options.manifests;
  file.node_name = options.node_name;
  return std::make_unique<source::FileSource>(io, std::move(file), store, std::move(handlers));
}

}  // namespace fairlead::daemon
