// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/result.h"

#include <stdexcept>
#include <system_error>

namespace fairlead {

Error make_error(const std::string& operation, const std::string& object, int code) {
  return {operation + " " + object + ": " + std::generic_category().message(code), code};
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

}  // namespace fairlead
