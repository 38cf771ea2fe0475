// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace fairlead::kube {

// The string at that place (RFC 6901: "/metadata/name"); empty where there is none.
inline std::string text_at(const boost::json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  const boost::json::value* found = value.find_pointer(pointer, error);
  return found && found->is_string() ? std::string(found->get_string()) : "";
}

}  // namespace fairlead::kube
