// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/cli/client.h"

namespace fairlead::cli {

enum class Output { kTable, kJson };

// What a command prints. With Output::kJson it is lbd's own JSON, one document; admin/view.h describes the shapes.
struct Context {
  // The JSON that lbd answers to a GET of this target.
  std::function<Result<boost::json::value>(const std::string& target)> get;
  Output output = Output::kTable;
};

using Query = std::vector<std::pair<std::string, std::string>>;

// What a command prints, and why it failed. Of both versions lbctl's own is told also where no lbd answers.
struct Outcome {
  Outcome(Result<std::string> printed)
      : text(printed ? *printed : ""), error(printed ? std::nullopt : std::optional(printed.error())) {}
  Outcome(std::string told, std::optional<Error> failed) : text(std::move(told)), error(std::move(failed)) {}

  std::string text;
  std::optional<Error> error;
};

Outcome show_version(const Context& context);
Result<std::string> show_status(const Context& context);
Result<std::string> list_problems(const Context& context);
Result<std::string> list_services(const Context& context);
// service is "NAMESPACE/NAME", as everywhere below; what is wrong with one, and nothing where it is right.
std::string check_service(const std::string& service);
// The same for what flows are chosen by: a service or one of its ports, and an address with or without a port.
std::string check_flow_service(const std::string& service);
std::string check_endpoint(const std::string& endpoint);
Result<std::string> show_service(const Context& context, const std::string& service);
Result<std::string> list_backends(const Context& context, const std::string& service);
// At most so many, 0 for all; the table says whether there are more. That nothing matches what was asked for is an
// error, but in JSON an empty list.
Result<std::string> list_flows(const Context& context, Query query, std::uint64_t limit);
Result<std::string> count_flows(const Context& context, const Query& query);
Result<std::string> show_rings(const Context& context, const std::string& service);
Result<std::string> list_verdicts(const Context& context, bool nonzero);

// "NAMESPACE/NAME" of every service, for completion; empty when no daemon answers.
std::vector<std::string> service_names(const Context& context);

}  // namespace fairlead::cli
