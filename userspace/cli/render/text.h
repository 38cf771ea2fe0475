// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/admin/view.h"

namespace fairlead::cli {

// "http 80/TCP", or "80/TCP" for a port without a name.
std::string port_text(const admin::ServicePortView& port);
// "192.0.2.1:80", "[2001:db8::1]:80", "*:30080" without an address.
std::string address_text(const std::string& address, std::uint16_t port);
// "10.96.0.10:80", "*:30080 (IPv4)"
std::string frontend_text(const admin::ServicePortView& port, const admin::FrontendView& frontend);
// A line of what is not served although nothing is wrong, if there is anything.
std::string note_text(const admin::ServiceView& service);
// A line for each frontend that waits for a write.
std::string pending_text(const admin::ServiceView& service);
// A line for each.
std::string problems_text(const std::vector<admin::ProblemView>& problems);
// Headings and cells that every table of backends has.
std::vector<std::string> backend_headings();
std::vector<std::string> backend_cells(const admin::BackendView& backend);

}  // namespace fairlead::cli
