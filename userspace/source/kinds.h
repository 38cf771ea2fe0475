// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "userspace/document/reader.h"
#include "userspace/model/endpoint_slice.h"
#include "userspace/model/node.h"
#include "userspace/model/service.h"

// One function for each kind of object, each told the object's name. What they return counts only if the reader's
// findings aren't broken afterwards.
namespace fairlead::source {

std::shared_ptr<const model::Service> read_service(const document::Reader& object, model::Name name);
// Null for a slice of names (FQDN), which no proxy uses.
std::shared_ptr<const model::EndpointSlice> read_endpoint_slice(const document::Reader& object, model::Name name);
std::shared_ptr<const model::Node> read_node(const document::Reader& object, model::Name name);

// Parts that several kinds have.

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

}  // namespace fairlead::source
