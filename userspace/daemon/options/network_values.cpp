// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "userspace/daemon/options/values.h"
#include "userspace/util/endpoint.h"

namespace fairlead::daemon {
namespace {

std::string find_duplicate(const Texts& texts) {
  std::set<std::string> seen;
  for (const std::string& text : texts)
    if (!seen.insert(text).second) return text + ": stands twice";
  return {};
}

std::string read_prefixes(const Texts& texts, std::vector<Prefix>& value) {
  std::vector<Prefix> prefixes;
  for (const std::string& text : texts) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return text + ": not a CIDR";
    prefixes.push_back(*prefix);
  }
  value = std::move(prefixes);
  return find_duplicate(texts);
}

Texts texts_of(const std::vector<Prefix>& prefixes) {
  Texts texts;
  for (const Prefix& prefix : prefixes)
    texts.push_back(prefix.to_string());
  return texts;
}

bool is_of_one_host(const Address& address) {
  return !address.is_unspecified() && !address.is_loopback() && !address.is_link_local() && !address.is_multicast();
}

std::string read_snat_addresses(const Texts& texts, std::vector<Address>& value) {
  std::map<fairlead::Family, Address> addresses;
  for (const std::string& text : texts) {
    const auto address = Address::parse(text);
    if (!address) return text + ": must be an IP address";
    if (!is_of_one_host(*address)) return text + ": must be an address that other nodes reach this one by";
    const auto [other, is_first] = addresses.emplace(address->family, *address);
    if (!is_first) return text + ": only one address of a family can be, and there is " + other->second.to_string();
  }
  value.clear();
  for (const auto& [family, address] : addresses)
    value.push_back(address);
  return {};
}

std::optional<std::string> with_port(const std::string& text, std::uint16_t port) {
  if (const auto address = Address::parse(text)) return endpoint_text(*address, port);
  const auto endpoint = Endpoint::parse(text);
  if (!endpoint || endpoint->port == 0) return std::nullopt;
  return endpoint_text(endpoint->address, endpoint->port);
}

}  // namespace

Value port_range(datapath::PortRange& value) {
  const auto read = [&value](const std::string& text) {
    const auto dash = std::min(text.find('-'), text.size());
    const auto first = to_number<std::uint16_t>(text.substr(0, dash));
    const auto last = to_number<std::uint16_t>(dash < text.size() ? text.substr(dash + 1) : "");
    if (!first || !last || *first == 0 || *first > *last)
      return "must be of the form FIRST-LAST, with ports between 1 and 65535";
    value = {*first, *last};
    return "";
  };
  const auto show = [&value] { return std::to_string(value.first) + "-" + std::to_string(value.last); };
  return scalar(Shape::kText, "FIRST-LAST", read, show);
}

Value address(std::string& value) {
  const auto read = [&value](const std::string& text) {
    const auto address = Address::parse(text);
    if (!address) return "must be an IP address";
    value = address->to_string();
    return "";
  };
  return scalar(Shape::kText, "ADDRESS", read, [&value] { return value; });
}

Value listen_address(std::string& value, std::uint16_t port) {
  const auto read = [&value, port](const std::string& text) {
    const auto full = text.empty() ? text : with_port(text, port);
    if (!full) return "must be of the form ADDRESS:PORT, with an IPv6 address in brackets";
    value = *full;
    return "";
  };
  return scalar(Shape::kText, "ADDRESS:PORT", read, [&value] { return value; });
}

Value listens(std::string& address) {
  const auto read = [&address](const std::string& text) {
    if (text != "true" && text != "false") return "must be true or false";
    if (text == "false") address.clear();
    return "";
  };
  return scalar(Shape::kBoolean, "", read, [&address] { return address.empty() ? "false" : "true"; });
}

Value prefixes(std::vector<Prefix>& value, Shape shape) {
  return {shape, "CIDR,...", [&value](const Texts& texts) { return read_prefixes(texts, value); },
          [&value] { return texts_of(value); }};
}

Value snat_addresses(std::vector<Address>& value) {
  const auto show = [&value] {
    Texts texts;
    for (const Address& address : value)
      texts.push_back(address.to_string());
    return texts;
  };
  return {Shape::kList, "ADDRESS,...", [&value](const Texts& texts) { return read_snat_addresses(texts, value); },
          show};
}

Value nodeport_addresses(NodePortAddresses& value) {
  const auto read = [&value](const Texts& texts) -> std::string {
    if (texts == Texts{"primary"}) {
      value = {};
      return {};
    }
    Texts all;
    for (const std::string& text : texts) {
      if (text == "primary") return "primary: must stand alone";
      if (text == "all")
        all.insert(all.end(), {"0.0.0.0/0", "::/0"});
      else if (text == "localhost")
        all.insert(all.end(), {"127.0.0.0/8", "::1/128"});
      else
        all.push_back(text);
    }
    value.primary = false;
    return read_prefixes(all, value.prefixes);
  };
  return {Shape::kList, "CIDR,...", read,
          [&value] { return value.primary ? Texts{"primary"} : texts_of(value.prefixes); }};
}

Value devices(std::vector<std::string>& value) {
  const auto read = [&value](const Texts& texts) {
    value = texts;
    return find_duplicate(texts);
  };
  return {Shape::kList, "DEV,...", read, [&value] { return value; }};
}

Value xdp_mode(datapath::XdpMode& value) {
  const auto read = [&value](const std::string& text) {
    const auto mode = datapath::parse_xdp_mode(text);
    if (!mode) return "must be auto, native, generic or off";
    value = *mode;
    return "";
  };
  return scalar(Shape::kText, "MODE", read, [&value] { return datapath::to_string(value); });
}

}  // namespace fairlead::daemon
