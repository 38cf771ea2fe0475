// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/delta.h"

#include <algorithm>

namespace fairlead::state {
namespace {

template <class T>
bool same(const T& a, const T& b) {
  return AbiEqual{}(a, b);
}
bool same(const std::string& a, const std::string& b) {
  return a == b;
}
template <class T>
bool same(const std::shared_ptr<const std::vector<T>>& a, const std::shared_ptr<const std::vector<T>>& b) {
  return a == b || *a == *b;
}

class Differ {
 public:
  Differ(const Tables& desired, const Tables& actual, const Touched& touched)
      : desired_(desired), actual_(actual), touched_(touched) {}

  // Touched keys that are desired, and missing or different.
  template <class To>
  void add() {
    for (const auto& key : touched_.*To::kTouched) {
      const auto desired = (desired_.*To::kContent).find(key);
      if (desired == (desired_.*To::kContent).end()) continue;
      const auto have = (actual_.*To::kContent).find(key);
      if (have == (actual_.*To::kContent).end() || !same(desired->second, have->second))
        operations_.emplace_back(Write<To>{key, desired->second});
    }
  }

  // Touched keys that are there and not desired.
  template <class To>
  void remove() {
    for (const auto& key : touched_.*To::kTouched)
      if (!(desired_.*To::kContent).contains(key) && (actual_.*To::kContent).contains(key))
        operations_.emplace_back(Write<To>{key, std::nullopt});
  }

  // Whether the map has no room for what is added beside what is there.
  template <class To>
  bool overflows(std::uint32_t limit) const {
    const auto is_new = [&](const auto& key) {
      return (desired_.*To::kContent).contains(key) && !(actual_.*To::kContent).contains(key);
    };
    const auto& touched = touched_.*To::kTouched;
    const auto added = std::count_if(touched.begin(), touched.end(), is_new);
    return added && (actual_.*To::kContent).size() + static_cast<std::size_t>(added) > limit;
  }

  std::vector<Operation> take() { return std::move(operations_); }

 private:
  const Tables& desired_;
  const Tables& actual_;
  const Touched& touched_;
  std::vector<Operation> operations_;
};

// What leads packets to a frontend that goes.
void close(Differ& differ) {
  differ.remove<ToFilter>();
  differ.remove<ToAddresses>();
  differ.remove<ToServices>();
}

template <class Visitor>
void for_each_table(const Visitor& visit) {
  visit(ToServices{});
  visit(ToAddresses{});
  visit(ToNames{});
  visit(ToBackends{});
  visit(ToRings{});
  visit(ToMembers{});
  visit(ToFilter{});
  visit(ToDevices{});
}

std::string key_text(const lb_service_key& key) {
  return describe(key);
}
std::string key_text(const lb_address_key& key) {
  return from_abi(key.addr, static_cast<std::uint8_t>(key.family)).to_string();
}
std::string key_text(std::uint32_t key) {
  return std::to_string(key);
}

}  // namespace

std::vector<Operation> diff(const Tables& desired, const Tables& actual, const Touched& touched, const Limits& limits) {
  Differ differ(desired, actual, touched);
  const bool is_full =
      differ.overflows<ToServices>(limits.frontends) || differ.overflows<ToAddresses>(limits.addresses);
  const bool is_full_of_devices = differ.overflows<ToDevices>(ToDevices::kRoom);
  if (is_full_of_devices) differ.remove<ToDevices>();
  differ.add<ToDevices>();
  differ.add<ToBackends>();
  differ.add<ToMembers>();
  differ.add<ToRings>();
  differ.add<ToNames>();
  if (is_full) close(differ);
  differ.add<ToServices>();
  differ.add<ToAddresses>();
  differ.add<ToFilter>();

  if (!is_full) close(differ);
  differ.remove<ToNames>();
  differ.remove<ToRings>();
  differ.remove<ToMembers>();
  differ.remove<ToBackends>();
  if (!is_full_of_devices) differ.remove<ToDevices>();
  return differ.take();
}

void apply(Tables& tables, const Operation& operation) {
  std::visit(
      [&]<class To>(const Write<To>& write) {
        if (write.value)
          (tables.*To::kContent)[write.key] = *write.value;
        else
          (tables.*To::kContent).erase(write.key);
      },
      operation);
}

void touch(Touched& touched, const Operation& operation) {
  std::visit([&]<class To>(const Write<To>& write) { (touched.*To::kTouched).insert(write.key); }, operation);
}

void Touched::add_all(const Tables& tables) {
  for_each_table([&]<class To>(To) {
    for (const auto& [key, value] : tables.*To::kContent)
      (this->*To::kTouched).insert(key);
  });
}

void Touched::merge(const Touched& other) {
  for_each_table(
      [&]<class To>(To) { (this->*To::kTouched).insert((other.*To::kTouched).begin(), (other.*To::kTouched).end()); });
}

bool Touched::empty() const {
  bool empty = true;
  for_each_table([&]<class To>(To) { empty = empty && (this->*To::kTouched).empty(); });
  return empty;
}

std::string describe(const Operation& operation) {
  return std::visit([]<class To>(const Write<To>& write) { return std::string(To::kMap) + " " + key_text(write.key); },
                    operation);
}

}  // namespace fairlead::state
