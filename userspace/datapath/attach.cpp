// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/attach.h"

#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <filesystem>

#include "userspace/datapath/pin_directory.h"
#include "userspace/datapath/tc.h"

namespace fairlead::datapath {
namespace {

std::string driver_of(const std::string& device) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  device.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&info);
  return ioctl(socket.get(), SIOCETHTOOL, &request) ? "" : info.driver;
}

bool is_ethernet(const std::string& device) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  device.copy(request.ifr_name, IFNAMSIZ - 1);
  return ioctl(socket.get(), SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == 1;  // ARPHRD_ETHER
}

std::uint32_t xdp_flags(XdpMode mode) {
  return mode == XdpMode::kGeneric ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

// A pinned link that still holds its device, or nothing: a device that went away leaves its link behind without one.
Fd adopted_link(const std::string& path, int ifindex) {
  Fd link(bpf_obj_get(path.c_str()));
  if (!link) return {};
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.get(), &info, &length) || info.type != BPF_LINK_TYPE_XDP ||
      info.xdp.ifindex != static_cast<__u32>(ifindex))
    return {};
  return link;
}

std::string why(int code) {
  switch (code) {
    case EOPNOTSUPP:
    case EINVAL:
      return "the driver has no native XDP for it";
    case EBUSY:
    case EEXIST:
      return "another XDP program is attached";
    case ERANGE:
    case EMSGSIZE:
      return "the device's MTU is too large for native XDP";
    case ENOSPC:
    case ENOMEM:
      return "the driver lacks queues or memory for XDP";
    default:
      return std::strerror(code);
  }
}

}  // namespace

std::optional<XdpMode> parse_xdp_mode(const std::string& text) {
  for (const XdpMode mode : {XdpMode::kAuto, XdpMode::kNative, XdpMode::kGeneric, XdpMode::kOff})
    if (text == to_string(mode)) return mode;
  return std::nullopt;
}

const char* to_string(XdpMode mode) {
  switch (mode) {
    case XdpMode::kAuto:
      return "auto";
    case XdpMode::kNative:
      return "native";
    case XdpMode::kGeneric:
      return "generic";
    case XdpMode::kOff:
      return "off";
  }
  return "?";
}

Attacher::Attacher(const Object& object, std::string pin_directory) : object_(object) {
  if (!pin_directory.empty()) links_ = versioned_directory(pin_directory) + "/links";
}

Result<Attached> Attacher::attach(const std::string& device, XdpMode mode) {
  const int ifindex = static_cast<int>(if_nametoindex(device.c_str()));
  if (!ifindex) return make_error("attach to device", device, ENODEV);
  if (!is_ethernet(device)) return Error{"attach to device " + device + ": not an Ethernet device", EOPNOTSUPP};
  Attached attached{device, ifindex, mode, ""};

  // A veth's peer leaves checksums to a device that never comes, which XDP cannot see and tc can; and what XDP sends is
  // delivered at once only to a peer with an XDP program of its own.
  if (mode == XdpMode::kAuto && driver_of(device) == "veth") {
    attached.xdp = XdpMode::kOff;
    attached.note =
        "XDP is off on a veth unless --xdp-mode native asks for it: its peer must not offload TX checksums then, and "
        "must have an XDP program too";
  } else if (mode != XdpMode::kOff) {
    attached.xdp = mode == XdpMode::kAuto ? XdpMode::kNative : mode;
    auto refused = attach_xdp(device, ifindex, attached.xdp);
    if (!refused) return refused.error();
    if (!refused->empty()) {
      if (mode != XdpMode::kAuto)
        return Error{"attach XDP (" + std::string(to_string(mode)) + ") to " + device + ": " + *refused, EOPNOTSUPP};
      attached.xdp = XdpMode::kOff;
      attached.note = "XDP is off: " + *refused;
    }
  }
  if (auto tc = attach_tc(device, ifindex); !tc) return tc.error();
  return attached;
}

// Returns why the device would not take it, or an empty text.
Result<std::string> Attacher::attach_xdp(const std::string& device, int ifindex, XdpMode mode) {
  const std::string path = links_ + "/xdp-" + device;
  if (!links_.empty()) {
    std::error_code error;
    std::filesystem::create_directories(links_, error);
    if (const Fd link = adopted_link(path, ifindex)) {
      if (bpf_link_update(link.get(), object_.xdp_program(), nullptr))
        return make_error("replace the XDP program of", device, errno);
      return std::string();
    }
    std::filesystem::remove(path, error);
  }
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = xdp_flags(mode));
  Fd link(bpf_link_create(object_.xdp_program(), ifindex, BPF_XDP, &options));
  if (!link) return why(errno);
  if (auto pinned = pin(link, path); !pinned) return pinned.error();
  held_.push_back(std::move(link));
  return std::string();
}

Result<> Attacher::pin(const Fd& link, const std::string& path) {
  if (links_.empty()) return {};
  if (bpf_obj_pin(link.get(), path.c_str())) return make_error("pin", path, errno);
  return {};
}

Result<> Attacher::attach_tc(const std::string& device, int ifindex) {
  for (const auto& [direction, program] : {std::pair{TcDirection::kIngress, object_.tc_ingress_program()},
                                           {TcDirection::kEgress, object_.tc_egress_program()}})
    if (auto attached = tc_attach(device, ifindex, direction, program, links_); !attached) return attached;
  return {};
}

std::vector<Error> remove_all(const std::string& pin_directory) {
  std::vector<Error> errors;
  const auto lock = lock_pins(pin_directory);
  if (!lock && lock.error().code != ENOENT) return {lock.error()};
  const std::string directory = versioned_directory(pin_directory);
  struct if_nameindex* devices = if_nameindex();
  for (const auto* device = devices; device && device->if_index; ++device)
    if (auto removed = tc_detach_all(device->if_name, static_cast<int>(device->if_index)); !removed)
      errors.push_back(removed.error());
  if_freenameindex(devices);

  // Removing a link's pin detaches it; links go before the maps that their programs use.
  std::error_code error;
  std::filesystem::remove_all(directory + "/links", error);
  if (error) errors.push_back(make_error("remove", directory + "/links", error.value()));
  std::filesystem::remove_all(directory, error);
  if (error) errors.push_back(make_error("remove", directory, error.value()));
  std::filesystem::remove(pin_directory, error);
  return errors;
}

}  // namespace fairlead::datapath
