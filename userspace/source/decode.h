// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "userspace/model/problem.h"
#include "userspace/source/kind.h"
#include "userspace/source/object.h"
#include "userspace/source/unread.h"

namespace fairlead::source {

// An object that somebody wrote. Without a value it is one that is asked for and can't be used as it is written: who
// has an earlier version keeps it.
struct Item {
  Key key;
  Object value;
  std::string where;
  // Without a value: what is not known for lack of it.
  Unread unread = {};
};

struct Decoded {
  std::vector<Item> items;
  std::vector<model::Problem> problems;
  std::size_t ignored = 0;   // objects that the proxy has no use for: other kinds, slices of names or of no service
  std::size_t nameless = 0;  // objects too wrong to tell which they are
};

// What one wrong field costs. An entry of externalIPs, loadBalancer.ingress, endpoints or node addresses costs that
// entry, and so does one of a slice's ports as long as another one is right. Everything else costs the object, because
// its meaning is open without the field: of a source range left out the wrong clients would get in. A wrong port of a
// Service can only come from a file, where the last good version of all of it is better than a part of the new one.
// What the API server would fill in is filled in.

// A document of a file, by its kind and apiVersion; lists are taken apart. `where` goes into the problems.
void decode_document(const boost::json::value& document, const std::string& where, Decoded& into);

// An object of a known kind, which then needs neither kind nor apiVersion, as in the lists of an API server.
void decode_object(const Kind& kind, const boost::json::value& object, const std::string& where, Decoded& into);

}  // namespace fairlead::source
