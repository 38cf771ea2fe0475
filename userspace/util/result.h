// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace fairlead {

// What failed, on what, and why: "open /sys/fs/bpf/fairlead: Permission denied". Errors are values; exceptions are left
// to the libraries that throw them and caught where they are called.
struct Error {
  Error() = default;
  // Two arguments, always: an Error that could be made of a text alone would make Result<std::string> ambiguous.
  Error(std::string message, int code) : message(std::move(message)), code(code) {}

  std::string message;
  int code = 0;  // errno where the kernel gave one, else 0
};

template <class T = void>
using Result = boost::system::result<T, Error>;

// Of the form "<operation> <object>: <strerror(code)>".
Error make_error(const std::string& operation, const std::string& object, int code);

// Needed by boost::system::result::value(), which this project does not use to unwrap errors.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

}  // namespace fairlead
