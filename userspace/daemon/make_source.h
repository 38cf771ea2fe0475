// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "userspace/daemon/options/options.h"
#include "userspace/source/source.h"

namespace fairlead::daemon {

// The source that the options name, not started yet. What they say about an API server is read and checked.
Result<std::unique_ptr<source::Source>> make_source(boost::asio::io_context& io, const Options& options,
                                                    model::Store& store, source::Handlers handlers);

}  // namespace fairlead::daemon
