// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dialogue.h"

#include <sys/socket.h>

#include <cerrno>

#include "tests/support/eventually.h"

namespace fairlead::test {

Result<Dialogue> Dialogue::start(const std::vector<std::string>& argv, std::chrono::milliseconds patience) {
  // Not a pipe: writing to one whose reader is gone would be the end of this process.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return make_error("make", "a socket pair", errno);
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  auto process = Process::start(argv, theirs);
  if (!process) return process.error();
  Dialogue dialogue(std::move(ours), std::move(*process), patience);
  auto greeting = dialogue.next_line();
  if (!greeting) return greeting.error();
  dialogue.greeting_ = std::move(*greeting);
  return dialogue;
}

std::string Dialogue::text(const char* member) const {
  const auto* value = greeting_.if_contains(member);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

Result<boost::json::object> Dialogue::ask(const std::string& line) {
  const std::string sent = line + "\n";
  if (send(input_.get(), sent.data(), sent.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(sent.size()))
    return make_error("say", line, errno);
  auto answer = next_line();
  if (!answer) return answer;
  const auto* ok = answer->if_contains("ok");
  if (!ok || *ok != true) return Error{boost::json::serialize(*answer), EPROTO};
  return answer;
}

Result<> Dialogue::obey(const std::string& line) {
  const auto answer = ask(line);
  if (!answer) return answer.error();
  return {};
}

Result<boost::json::object> Dialogue::next_line() {
  std::string line;
  eventually(patience_, [&] {
    const bool ended = process_.status().has_value();
    const std::string output = process_.out();
    const auto end = output.find('\n', read_);
    if (end == std::string::npos) return ended;
    line = output.substr(read_, end - read_);
    read_ = end + 1;
    return true;
  });
  boost::system::error_code error;
  auto value = boost::json::parse(line, error);
  if (!error && value.is_object()) return std::move(value.get_object());
  return Error{line.empty() ? "no answer; it said:\n" + process_.err() : "not an answer: " + line, EPROTO};
}

}  // namespace fairlead::test
