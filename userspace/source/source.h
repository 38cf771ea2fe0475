// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "userspace/model/problem.h"
#include "userspace/model/store.h"
#include "userspace/source/unread.h"
#include "userspace/util/result.h"

namespace fairlead::source {

// Whom a source tells. Any of them may be empty. They are called on the source's thread and must not destroy the source
// or call back into it, except to read.
struct Handlers {
  // The store holds the first state that could be had, or another one than at the last call, or the same one and
  // unread() is another. take_changed() says what is different.
  std::function<void(model::Store&)> on_sync;
  // Once when a problem comes up and once when it is gone; before the on_sync of the same change.
  std::function<void(const model::Problem&)> on_problem;
  std::function<void(const model::Problem&)> on_solved;
};

// Something about a Service that whoever wrote it should know.
struct Remark {
  model::Name service;
  std::string reason;  // one word in CamelCase
  std::string message;
};

// How well a source hears what it follows. A source that hears at once of everything, as of files, has nothing to say
// here.
struct Contact {
  using Time = std::chrono::steady_clock::time_point;

  std::optional<Time> heard;         // when it heard anything last
  std::optional<Time> behind_since;  // since when changes may have been missed; nothing: it follows
};

// Keeps a model::Store equal to what somebody asks for, in files or at an API server. A source is the store's only
// writer. What it cannot understand is a problem and leaves the last good version in force; what it cannot reach leaves
// everything in force. Everything happens on the thread of its io_context.
class Source {
 public:
  virtual ~Source() = default;

  // Once. Begins to follow, and goes on until destroyed; may call handlers before it returns. That what shall be
  // followed is not there (yet) is no error here but a problem, and on_sync waits for it.
  virtual Result<> start() = 0;

  // Of which objects the store has not even an earlier version. What it says without them is no reason to take away
  // what an earlier process left in the kernel.
  virtual Unread unread() const = 0;

  // For people: "file /etc/fairlead", "kubernetes https://192.0.2.1:6443".
  virtual std::string name() const = 0;

  // What is wrong at present.
  virtual const std::set<model::Problem>& problems() const = 0;

  virtual Contact contact() const { return {}; }

  // Whether it would know the Node of this name if there were one: files need not tell of Nodes.
  virtual bool knows_nodes() const = 0;

  // Leaves the remark where people look who look at the object, if there is such a place.
  virtual void remark(const Remark&) {}
};

}  // namespace fairlead::source
