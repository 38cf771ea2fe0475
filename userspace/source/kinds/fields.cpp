// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/kinds/fields.h"

#include "userspace/util/old_address.h"
#include "userspace/util/text.h"
#include "userspace/util/timestamp.h"

namespace fairlead::source {

std::optional<Address> read_address(const document::Reader& reader) {
  const std::string text = reader.text();
  if (text.empty()) return std::nullopt;
  const auto address = parse_old_address(text);
  if (!address) {
    reader.complain("is not an IP address");
  } else if (address->is_unspecified()) {
    reader.complain("must not be the unspecified address");
  }
  return address;
}

std::optional<Address> read_global_address(const document::Reader& reader) {
  const auto address = read_address(reader);
  if (address && (address->is_loopback() || address->is_link_local() || address->is_multicast()))
    reader.complain("must not be a loopback, link-local or multicast address");
  return address;
}

std::optional<Prefix> read_prefix(const document::Reader& reader) {
  const std::string text = reader.text();
  const auto prefix = parse_old_prefix(trimmed(text));
  if (!prefix) reader.complain("is not an address range such as 192.0.2.0/24");
  return prefix;
}

std::optional<std::chrono::system_clock::time_point> read_time(const document::Reader& reader) {
  return parse_timestamp(reader.text());
}

model::Protocol read_protocol(const document::Reader& reader) {
  static const document::Reader::Names<model::Protocol> kNames{
      {"TCP", model::Protocol::kTcp}, {"UDP", model::Protocol::kUdp}, {"SCTP", model::Protocol::kSctp}};
  return reader.choice(kNames, model::Protocol::kTcp);
}

std::string read_name(const document::Reader& reader) {
  constexpr std::size_t kLongest = 253;
  std::string name = reader.text();
  if (name.size() > kLongest) reader.complain("must not be longer than 253 characters");
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string::npos)
    reader.complain("must consist of lower-case letters, digits, '-' and '.'");
  return name;
}

}  // namespace fairlead::source
