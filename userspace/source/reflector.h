// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "userspace/kube/api/listener.h"
#include "userspace/model/problem.h"
#include "userspace/model/store.h"
#include "userspace/source/decode.h"

namespace fairlead::source {

// Keeps the objects of one kind in a store equal to what a ListWatch tells. A list counts when it is complete: until
// then the store has what it had. An object that can't be decoded leaves its last good version in the store and is a
// problem; one that is older than what is held, as events told twice are, changes nothing.
class Reflector : public kube::Listener {
 public:
  struct Handlers {
    std::function<void()> changed;  // the store, or unread()
    // With the object's name and uid.
    std::function<void(const model::Problem&, const model::Name&, const std::string& uid)> problem;
    std::function<void(const model::Problem&)> solved;
    // What keeps it from being followed; empty: nothing any more.
    std::function<void(const std::string&)> trouble;
  };
  Reflector(const Kind& kind, model::Store& store, Handlers handlers);

  // A list has been complete.
  bool has_listed() const { return has_listed_; }
  // Of what is there the store has not even an earlier version.
  Unread unread() const;

  void list_begun() override;
  void listed(const boost::json::value& object) override;
  void list_complete() override;
  bool changed(Change change, const boost::json::value& object) override;
  void trouble(const std::string& message) override { handlers_.trouble(message); }

 private:
  struct Held {
    std::string version;
    bool stored = false;  // some version of it is in the store
    std::vector<model::Problem> problems;
  };
  // An object as it came; without a value it could not be decoded, or is none for a proxy.
  struct Read {
    model::Name name;
    std::string uid;
    Object value;
    bool ignored = false;  // it is none for a proxy
    Unread unread;         // what is not known if no version of it is in the store
    Held held;
  };

  Read read(const boost::json::value& object) const;
  bool put(Read read);
  bool store(const Read& read, Held& held);
  bool remove(const model::Name& name);
  bool replace_problems(std::vector<model::Problem>& before, std::vector<model::Problem> now, const model::Name& name,
                        const std::string& uid = {});

  const Kind& kind_;
  model::Store& store_;
  Handlers handlers_;
  std::map<model::Name, Held> held_;
  std::map<model::Name, Unread> lacking_;  // by what there is, and is not in the store in any version
  std::map<model::Name, Read> list_;       // the one that is being told
  std::string newest_;                     // version that was told since the last list
  bool has_listed_ = false;
};

}  // namespace fairlead::source
