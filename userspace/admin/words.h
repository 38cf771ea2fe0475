// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "userspace/util/address.h"

// The values that the control API knows by a word, and these words: the one place where either becomes the other. In
// JSON each of them is its word.

namespace fairlead::admin {

enum class FrontendKind { kClusterIp, kExternalIp, kLoadBalancer, kNodePort };
// What becomes of new connections. Pending: what shall become of them is not in the maps yet.
enum class Action { kBalance, kReject, kDrop, kPending };
enum class BackendState { kActive, kDraining, kUnused };
enum class FlowState { kNew, kEstablished, kClosing, kClosed };
enum class VerdictKind { kPass, kSend, kDrop };

template <class E>
struct Words;
template <>
struct Words<FrontendKind> {
  static constexpr std::pair<FrontendKind, const char*> kAll[] = {{FrontendKind::kClusterIp, "ClusterIP"},
                                                                  {FrontendKind::kExternalIp, "ExternalIP"},
                                                                  {FrontendKind::kLoadBalancer, "LoadBalancer"},
                                                                  {FrontendKind::kNodePort, "NodePort"}};
};
template <>
struct Words<Action> {
  static constexpr std::pair<Action, const char*> kAll[] = {{Action::kBalance, "balance"},
                                                            {Action::kReject, "reject"},
                                                            {Action::kDrop, "drop"},
                                                            {Action::kPending, "pending"}};
};
template <>
struct Words<BackendState> {
  static constexpr std::pair<BackendState, const char*> kAll[] = {
      {BackendState::kActive, "active"}, {BackendState::kDraining, "draining"}, {BackendState::kUnused, "unused"}};
};
template <>
struct Words<FlowState> {
  static constexpr std::pair<FlowState, const char*> kAll[] = {{FlowState::kNew, "new"},
                                                               {FlowState::kEstablished, "established"},
                                                               {FlowState::kClosing, "closing"},
                                                               {FlowState::kClosed, "closed"}};
};
template <>
struct Words<VerdictKind> {
  static constexpr std::pair<VerdictKind, const char*> kAll[] = {
      {VerdictKind::kPass, "pass"}, {VerdictKind::kSend, "send"}, {VerdictKind::kDrop, "drop"}};
};
template <>
struct Words<Family> {
  static constexpr std::pair<Family, const char*> kAll[] = {{Family::IPv4, "IPv4"}, {Family::IPv6, "IPv6"}};
};

template <class E>
concept Worded = requires { Words<E>::kAll; };

template <Worded E>
const char* to_string(E value) {
  for (const auto& [one, word] : Words<E>::kAll)
    if (one == value) return word;
  return "unknown";
}

template <Worded E>
std::optional<E> from_word(std::string_view text) {
  for (const auto& [one, word] : Words<E>::kAll)
    if (text == word) return one;
  return std::nullopt;
}

template <Worded E>
boost::json::result<E> from_json(const boost::json::value& json) {
  if (!json.is_string()) return make_error_code(boost::json::error::not_string);
  const auto value = from_word<E>(json.as_string());
  if (!value) return make_error_code(boost::json::error::unknown_name);
  return *value;
}

// Found by Boost.JSON.
template <Worded E>
void tag_invoke(boost::json::value_from_tag, boost::json::value& json, E value) {
  json = to_string(value);
}
template <Worded E>
boost::json::result<E> tag_invoke(boost::json::try_value_to_tag<E>, const boost::json::value& json) {
  return from_json<E>(json);
}

}  // namespace fairlead::admin

// For a type of this namespace it looks here.
namespace fairlead {

inline void tag_invoke(boost::json::value_from_tag, boost::json::value& json, Family family) {
  json = admin::to_string(family);
}
inline boost::json::result<Family> tag_invoke(boost::json::try_value_to_tag<Family>, const boost::json::value& json) {
  return admin::from_json<Family>(json);
}

}  // namespace fairlead
