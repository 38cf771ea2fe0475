// SPDX-License-Identifier: Apache-2.0
#include "tests/support/answer.h"

#include <boost/json.hpp>
#include <cerrno>
#include <exception>

#include "tests/support/netns.h"

namespace fairlead::test {
namespace {

namespace json = boost::json;

Endpoint endpoint_in(const json::object& object, std::string_view name) {
  const std::string key(name);
  return {Address::literal(json::value_to<std::string>(object.at(key))),
          json::value_to<std::uint16_t>(object.at(key + "_port"))};
}

}  // namespace

Result<Answer> parse_answer(std::string_view line) {
  try {
    const json::value value = json::parse({line.data(), line.size()});
    const json::object& object = value.as_object();
    return Answer{json::value_to<std::string>(object.at("server")), endpoint_in(object, "peer"),
                  endpoint_in(object, "local"), json::value_to<std::uint64_t>(object.at("count")),
                  json::value_to<std::string>(object.at("echo"))};
  } catch (const std::exception& error) {
    return Error{"not an answer of fairlead-peer (" + std::string(error.what()) + "): " + std::string(line), EBADMSG};
  }
}

Result<Answer> ask_over(const Fd& socket, std::string_view request) {
  const auto line = exchange(socket, request);
  if (!line) return line.error();
  auto answer = parse_answer(*line);
  if (answer && answer->echo != request) return Error{"an answer to something else: " + *line, EBADMSG};
  return answer;
}

Result<Answer> ask_from(const std::string& netns, Transport transport, const Endpoint& to,
                        std::chrono::milliseconds patience) {
  return in_namespace(netns, [&]() -> Result<Answer> {
    const auto socket = connect_to(transport, to, {}, patience);
    if (!socket) return socket.error();
    return ask_over(*socket);
  });
}

}  // namespace fairlead::test
