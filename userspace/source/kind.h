// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

#include "userspace/document/reader.h"
#include "userspace/model/name.h"
#include "userspace/model/store.h"
#include "userspace/source/object.h"

namespace fairlead::source {

// All that tells one kind of object from another, for those who treat them alike. Each is defined in a file of kinds/;
// a new one is such a file, and a line here and in kind.cpp.
struct Kind {
  std::string_view name = {};         // "EndpointSlice"
  std::string_view api_version = {};  // "discovery.k8s.io/v1"
  std::string_view plural = {};       // "endpointslices"
  bool has_namespace = true;
  bool only_this_node = false;  // only the one that has this node's name counts
  bool only_in_files = false;   // an API server says the same by objects of another kind

  // Those that an API server is asked for: the ones that kube-proxy selects. Empty: all.
  std::string_view label_selector = {};
  std::string_view field_selector = {};

  // What a text says of an object of that name; none if no proxy has a use for it. It counts only if the reader's
  // findings aren't broken afterwards.
  Object (*read)(const document::Reader&, const model::Name&) = nullptr;

  // The same where nobody fills in what controllers do; null: there is no difference.
  Object (*read_manifest)(const document::Reader&, const model::Name&) = nullptr;
  // The name of the Service in its namespace that it says something of; empty if that cannot be told. None: it says
  // something of all.
  std::string (*service_of)(const document::Reader&, const model::Name&) = nullptr;

  // Its place in a store. What is put is what read() made; put() and remove() return whether something changed.
  Object (*find)(const model::Store&, const model::Name&) = nullptr;
  bool (*put)(model::Store&, const Object&) = nullptr;
  bool (*remove)(model::Store&, const model::Name&) = nullptr;
};

extern const Kind kService;
extern const Kind kEndpointSlice;
extern const Kind kEndpoints;
extern const Kind kNode;

std::span<const Kind* const> all_kinds();
// Null where it is none that a proxy looks at.
const Kind* find_kind(std::string_view name);

// "apps/v1" is of the group "apps", "v1" of the group "".
std::string_view group_of(std::string_view api_version);

struct Key {
  const Kind* kind;
  model::Name name;

  std::strong_ordering operator<=>(const Key& other) const;
  bool operator==(const Key& other) const = default;
  std::string to_string() const;  // "Service default/web"
};

}  // namespace fairlead::source
