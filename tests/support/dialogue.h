// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// A program that says when it is ready with a line of JSON, and then answers each line on its standard input with
// another. It ends with this, and also when this process dies, because its standard input does. Not for use by several
// threads at once.
class Dialogue {
 public:
  // Returns when it is ready.
  static Result<Dialogue> start(const std::vector<std::string>& argv, std::chrono::milliseconds patience);

  // What it said when it was ready.
  const boost::json::object& greeting() const { return greeting_; }
  std::string text(const char* member) const;

  // An error unless the answer has "ok": true.
  Result<boost::json::object> ask(const std::string& line);
  // The same where nothing else in the answer matters.
  Result<> obey(const std::string& line);

  pid_t pid() const { return process_.pid(); }

 private:
  Dialogue(Fd input, Process process, std::chrono::milliseconds patience)
      : input_(std::move(input)), process_(std::move(process)), patience_(patience) {}
  Result<boost::json::object> next_line();

  Fd input_;
  Process process_;
  std::chrono::milliseconds patience_;
  std::size_t read_ = 0;
  boost::json::object greeting_;
};

}  // namespace fairlead::test
