// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/transport.h"

#include <boost/beast/http/status.hpp>
#include <boost/json/parse.hpp>

#include "userspace/document/text.h"
#include "userspace/kube/api/json_text.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kLongestRefusal = 64 << 10;

// The message of a metav1.Status, or the beginning of what is there instead.
std::string message_of(const std::string& body) {
  boost::system::error_code error;
  const json::value status = json::parse(body, error);
  const std::string message = error ? "" : text_at(status, "/message");
  return document::shortened(message.empty() ? body : message, 300);
}

}  // namespace

asio::awaitable<Error> Transport::refusal(std::string what, Answer answer) {
  std::string body;
  while (body.size() < kLongestRefusal) {
    auto piece = co_await read(kPatience);
    if (!piece || piece->empty()) break;
    body.append(*piece);
  }
  const auto reason = http::obsolete_reason(static_cast<http::status>(answer.status));
  co_return Error{what + ": " + std::to_string(answer.status) + " " + std::string(reason) + ": " + message_of(body),
                  static_cast<int>(answer.status)};
}

}  // namespace fairlead::kube
