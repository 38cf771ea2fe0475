// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "userspace/kube/access/access.h"
#include "userspace/kube/api/pace.h"

namespace fairlead::kube {

// Who we are, by credentials that may take long to say it, or else nobody: for what anybody may ask, and for which late
// is no better than never. That a server does not accept it is left to others to find out.
class PromptCredentials : public Credentials {
 public:
  PromptCredentials(std::shared_ptr<Credentials> credentials, Clock::duration patience)
      : credentials_(std::move(credentials)), patience_(patience) {}

  boost::asio::awaitable<Result<Identity>> identity() override;
  void reject() override {}

 private:
  std::shared_ptr<Credentials> credentials_;
  Clock::duration patience_;
};

}  // namespace fairlead::kube
