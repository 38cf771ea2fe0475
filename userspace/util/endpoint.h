// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/util/address.h"

namespace fairlead {

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  // "192.0.2.1:80" or "[2001:db8::1]:80", as endpoint_text() writes it.
  static std::optional<Endpoint> parse(std::string_view text);
};

// "web:80", and an address as endpoint_text() has it.
std::string host_port_text(const std::string& host, std::uint16_t port);

}  // namespace fairlead
