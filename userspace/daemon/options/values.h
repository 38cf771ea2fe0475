// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/daemon/options/options.h"
#include "userspace/util/text.h"

namespace fairlead::daemon {

// A value as it is written: one text, or one for each item of a list.
using Texts = std::vector<std::string>;

// How a value looks in a document. On the command line all are texts, and lists have commas.
enum class Shape {
  kText,
  kNumber,
  kBoolean,
  kDuration,
  kList,
  kCommaList,  // a text there too
  kAny,        // also what has members
};

// The way from texts to a member of Options, which has to outlive this, and back. What `read` returns is what is wrong
// with the texts; empty means that they were taken. It also takes what `show` shows.
struct Value {
  Shape shape = Shape::kText;
  std::string type;  // for --help
  std::function<std::string(const Texts&)> read;
  std::function<Texts()> show;
};

// Items between commas, without spaces around them.
Texts list_items(const std::string& text);
// Without an exponent.
std::string number_text(double number);
// Nothing, or one empty text.
bool is_empty(const Texts& texts);
// A number or duration that is zero.
bool is_zero(const Texts& texts);

// Of one text.
Value scalar(Shape shape, std::string type, std::function<std::string(const std::string&)> read,
             std::function<std::string()> show);
Value text(std::string& value, const std::string& type);
Value path(std::string& value);
Value word(std::string& value, const std::string& type, const Texts& words);
Value whole(std::uint32_t& value, std::uint32_t lowest, std::uint32_t highest);
Value whole(int& value, int lowest, int highest);
Value whole(std::optional<int>& value, int lowest, int highest);
// A second; negative for no limit.
Value rate(double& value);
Value boolean(bool& value);
Value seconds(std::uint32_t& value);
Value port_range(datapath::PortRange& value);
Value address(std::string& value);
// ADDRESS:PORT, or an address alone for the usual port.
Value listen_address(std::string& value, std::uint16_t port);
// False empties the address; true leaves it as it is.
Value listens(std::string& address);
Value prefixes(std::vector<Prefix>& value, Shape shape);
Value snat_addresses(std::vector<Address>& value);
Value nodeport_addresses(NodePortAddresses& value);
Value devices(std::vector<std::string>& value);
Value xdp_mode(datapath::XdpMode& value);
// Empty for the host's own.
Value node_name(std::string& value);
// klog's numbers.
Value verbosity(std::string& log_level);
Value log_format(bool& json);

}  // namespace fairlead::daemon
