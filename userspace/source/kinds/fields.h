// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "userspace/document/reader.h"
#include "userspace/model/name.h"
#include "userspace/model/service.h"
#include "userspace/source/object.h"
#include "userspace/util/address.h"

// Parts that several kinds have.
namespace fairlead::source {

// Nothing where there is nothing, or an empty string.
std::optional<Address> read_address(const document::Reader& reader);
// Complains also of addresses that no other machine can be reached at: unspecified, loopback, link-local, multicast.
std::optional<Address> read_global_address(const document::Reader& reader);
std::optional<Prefix> read_prefix(const document::Reader& reader);
// RFC 3339. Nothing where there is nothing, or no time: what it is for is not worth an object.
std::optional<std::chrono::system_clock::time_point> read_time(const document::Reader& reader);
// TCP when absent.
model::Protocol read_protocol(const document::Reader& reader);
// Of lower-case letters, digits, '-' and '.', as names of objects and ports are. May be empty.
std::string read_name(const document::Reader& reader);

// In a map of a store.
template <class Objects>
Object find_in(const Objects& objects, const model::Name& name) {
  const auto found = objects.find(name);
  return found == objects.end() ? Object() : Object(found->second);
}

}  // namespace fairlead::source
