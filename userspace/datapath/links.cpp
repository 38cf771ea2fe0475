// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "userspace/datapath/foreign_map.h"
#include "userspace/datapath/patience.h"
#include "userspace/datapath/pin_directory.h"
#include "userspace/datapath/program_name.h"
#include "userspace/datapath/tcx.h"
#include "userspace/datapath/xdp_mode.h"
#include "userspace/util/text.h"

namespace fairlead::datapath {
namespace {

namespace fs = std::filesystem;

// Headers before libbpf 1.3 lack it; a link that a newer build made is known to an older one all the same.
constexpr std::uint32_t kLinkTypeTcx = 11;
constexpr bool kBuiltForTcx = LIBBPF_MAJOR_VERSION > 1 || (LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION >= 3);

bpf_attach_type attach_type(Hook hook) {
  return hook == Hook::kXdp ? BPF_XDP : tcx_type(hook);
}

const char* name_of(Hook hook) {
  if (hook == Hook::kXdp) return "xdp";
  return hook == Hook::kTcIngress ? "tc-ingress" : "tc-egress";
}

std::string why_no_xdp(int code) {
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
      return why(code);
  }
}

Result<bool> runs_by_tcx(int ifindex, Hook hook, std::uint32_t program) {
  const auto programs = tcx_programs(ifindex, hook);
  if (!programs) return programs.error();
  return std::find(programs->begin(), programs->end(), program) != programs->end();
}

// In whatever network namespace; 0 where the device is gone.
int ifindex_of(const bpf_link_info& info) {
  // A tcx link's is the first word of a link to a network namespace, which older headers have.
  return static_cast<int>(info.type == BPF_LINK_TYPE_XDP ? info.xdp.ifindex : info.netns.netns_ino);
}

// A link tells an ifindex, but not of which network namespace: the device tells whether it runs the program.
Result<Attachment> place_of_xdp(const bpf_link_info& info) {
  const int ifindex = ifindex_of(info);
  const auto programs = ifindex ? xdp_programs(ifindex) : XdpPrograms{};
  if (!programs) return programs.error();
  const XdpMode mode = programs->mode_of(info.prog_id);
  if (mode == XdpMode::kOff) return Attachment{};
  return Attachment{ifindex, Hook::kXdp, mode == XdpMode::kNative ? Means::kXdpNative : Means::kXdpGeneric,
                    info.prog_id, ""};
}

Result<Attachment> place_of_tcx(const bpf_link_info& info) {
  const int ifindex = ifindex_of(info);
  // The second word, likewise.
  const Hook hook =
      info.netns.attach_type == static_cast<std::uint32_t>(kTcxIngress) ? Hook::kTcIngress : Hook::kTcEgress;
  const auto runs = ifindex ? runs_by_tcx(ifindex, hook, info.prog_id) : false;
  if (!runs) return runs.error();
  if (!*runs) return Attachment{};
  return Attachment{ifindex, hook, Means::kTcx, info.prog_id, ""};
}

Result<Attachment> place_of(const bpf_link_info& info) {
  if (info.type == BPF_LINK_TYPE_XDP) return place_of_xdp(info);
  return info.type == kLinkTypeTcx ? place_of_tcx(info) : Attachment{};
}

std::optional<bpf_link_info> info_of(const Fd& link) {
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.get(), &info, &length)) return std::nullopt;
  return info;
}

// What a link that is pinned nowhere that we see goes by.
constexpr std::string_view kById = "link ";

std::optional<std::uint32_t> id_in(const std::string& link) {
  if (!link.starts_with(kById)) return std::nullopt;
  return to_number<std::uint32_t>(std::string_view(link).substr(kById.size()));
}

// Whether maps of an lbd lie beside its directory, as with ours; to see that takes no capability.
bool has_maps_beside(const std::string& link) {
  const fs::path place = fs::path(link).parent_path().parent_path();
  return holds_maps(place / "maps") || holds_maps(place);
}

std::string file_name(const Attachment& attachment, std::uint32_t id) {
  return std::string(name_of(attachment.hook)) + "-" + std::to_string(attachment.ifindex) + "-" + std::to_string(id);
}

}  // namespace

// What cannot be looked at for good is left alone. What can be in a moment may be what is to be replaced: without it,
// its hook would seem to be free, or another's.
Result<Actual> Links::read() {
  Actual links;
  Ids seen;
  for (const std::string& name : names(links.unknown)) {
    const auto link = look_at(name, Where::kOurs, seen);
    if (!link)
      links.unknown.push_back(link.error());
    else if (const std::optional<Attachment>& attached = *link)
      links.attachments.push_back(*attached);
  }
  read_others(links, seen);
  read_unseen(links, seen);
  const auto passing =
      std::ranges::find_if(links.unknown, [](const Error& unknown) { return is_transient(unknown.code); });
  if (passing != links.unknown.end()) return *passing;
  // Only if nothing is left in it.
  if (const auto earlier = versioned_directories(pin_directory_); earlier)
    for (const std::string& directory : *earlier) {
      std::error_code ignored;
      if (fs::remove(directory + "/links", ignored)) fs::remove(directory, ignored);
    }
  return links;
}

std::vector<std::string> Links::names(std::vector<Error>& unknown) const {
  std::vector<std::string> names;
  names.reserve(held_.size());
  for (const auto& [name, link] : held_)
    names.push_back(name);
  for (const std::string& directory : pinned_link_directories(pin_directory_)) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
      names.push_back(entry->path());
    if (error && error != std::errc::no_such_file_or_directory)
      unknown.push_back(make_error("read", directory, error.value()));
  }
  return names;
}

// Programs of ours that forward by maps which no lbd writes any more, unless they are those of another namespace's lbd.
void Links::read_others(Actual& links, Ids& seen) const {
  for (const std::string& name : links_of_others(pin_directory_)) {
    const auto link = look_at(name, Where::kElsewhere, seen);
    if (!link)
      links.unknown.push_back(link.error());
    else if (const std::optional<Attachment>& attached = *link; attached && attached->ifindex)
      links.attachments.push_back(*attached);
  }
}

// Such a program forwards by maps that no lbd writes any more, like those above.
void Links::read_unseen(Actual& links, Ids& seen) const {
  for (std::uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
    if (seen.contains(id)) continue;
    const Fd link(bpf_link_get_fd_by_id(id));
    if (const int code = errno; !link && is_transient(code))
      links.unknown.push_back(make_error("open", "link " + std::to_string(id), code));
    const auto info = link ? info_of(link) : std::nullopt;
    if (!info || (info->type != BPF_LINK_TYPE_XDP && info->type != kLinkTypeTcx)) continue;
    const auto place = is_program_of_ours(info->prog_id).value_or(false) ? place_of(*info) : Attachment{};
    if (!place) links.unknown.push_back(place.error());
    if (!place || !place->ifindex) continue;
    Attachment found = *place;
    found.link = pin_in_place(link, found, id);
    links.attachments.push_back(found);
  }
}

// Others pin links under such names, too, and anything among ours: a link is ours only if its program has our name, or,
// where that may not be asked, it is named as ours are, elsewhere beside an lbd's maps.
bool Links::is_ours(const std::string& link, Where where, const bpf_link_info& info) const {
  if (info.type != BPF_LINK_TYPE_XDP && info.type != kLinkTypeTcx) return false;
  const auto by_name = is_program_of_ours(info.prog_id);
  if (by_name) return *by_name;
  return held_.contains(link) || (looks_like_link(link) && (where == Where::kOurs || has_maps_beside(link)));
}

// A link that cannot be looked at is not one that has ended: it may hold a program that forwards.
Result<std::optional<bpf_link_info>> Links::identify(const std::string& link, Where where) const {
  const Fd opened = open(link);
  const int code = errno;
  if (std::error_code error; !opened && fs::is_directory(link, error))
    return Error{"open the link " + link + ": it is a directory", EISDIR};
  if (!opened && code == ENOENT) return std::nullopt;
  if (!opened) return make_error("open the link", link, code);
  const auto kind = kind_of(opened);
  if (!kind) return kind.error();
  if (*kind != "bpf-link" && *kind != "bpf_link") return std::nullopt;
  const auto info = info_of(opened);
  if (!info) return make_error("look at the link", link, errno);
  return is_ours(link, where, *info) ? info : std::nullopt;
}

Result<std::optional<Attachment>> Links::look_at(const std::string& link, Where where, Ids& seen) const {
  const auto identified = identify(link, where);
  if (!identified) return identified.error();
  const std::optional<bpf_link_info>& info = *identified;
  if (!info) return std::nullopt;
  const auto place = place_of(*info);
  if (!place) return place.error();
  Attachment found = *place;
  found.link = found.ifindex ? put_in_place(link, found, info->id) : link;
  if (!seen.insert(info->id).second) return std::nullopt;
  return found;
}

Links::Whereabouts Links::whereabouts() const {
  Whereabouts result;
  for (const std::string& link : names(result.unknown)) {
    const auto identified = identify(link, Where::kOurs);
    if (!identified) {
      result.unknown.push_back(identified.error());
      continue;
    }
    const std::optional<bpf_link_info>& info = *identified;
    if (!info) continue;
    if (const auto place = place_of(*info); !place)
      result.unknown.push_back(place.error());
    else if (place->ifindex)
      result.here.insert(place->ifindex);
    else
      ++(ifindex_of(*info) ? result.elsewhere : result.nowhere);
  }
  return result;
}

// In a directory that is made only below a pin directory that is there: --cleanup makes none.
fs::path Links::proper_place(const Attachment& attachment, std::uint32_t id) const {
  const fs::path directory = links_directory(pin_directory_);
  std::error_code error;
  fs::create_directory(directory, error);
  return directory / file_name(attachment, id);
}

// Where it is pinned twice, the second takes the place of the first.
std::string Links::put_in_place(const std::string& link, const Attachment& attachment, std::uint32_t id) const {
  if (pin_directory_.empty()) return link;
  const fs::path proper = proper_place(attachment, id);
  if (proper == link) return link;
  std::error_code error;
  fs::rename(link, proper, error);
  return error ? link : proper.string();
}

std::string Links::pin_in_place(const Fd& link, const Attachment& attachment, std::uint32_t id) const {
  std::string by_id = std::string(kById) + std::to_string(id);
  if (pin_directory_.empty()) return by_id;
  const fs::path proper = proper_place(attachment, id);
  return bpf_obj_pin(link.get(), proper.c_str()) ? by_id : proper.string();
}

Fd Links::open(const std::string& link) const {
  if (const auto held = held_.find(link); held != held_.end()) return Fd(fcntl(held->second.get(), F_DUPFD_CLOEXEC, 0));
  if (const auto id = id_in(link)) return Fd(bpf_link_get_fd_by_id(*id));
  return Fd(bpf_obj_get(link.c_str()));
}

Result<> Links::create(const Attachment& attachment, int program) {
  LIBBPF_OPTS(bpf_link_create_opts, options);
  if (attachment.means == Means::kXdpNative) options.flags = XDP_FLAGS_DRV_MODE;
  if (attachment.means == Means::kXdpGeneric) options.flags = XDP_FLAGS_SKB_MODE;
  Fd link(bpf_link_create(program, attachment.ifindex, attach_type(attachment.hook), &options));
  if (!link) {
    const int code = errno;
    return Error{
        "attach " + describe(attachment) + ": " + (attachment.hook == Hook::kXdp ? why_no_xdp(code) : why(code)), code};
  }
  const auto info = info_of(link);
  if (!info) return make_error("look at", describe(attachment), errno);
  return keep(std::move(link), file_name(attachment, info->id));
}

Result<> Links::keep(Fd link, const std::string& name) {
  if (pin_directory_.empty()) {
    held_[name] = std::move(link);
    return {};
  }
  const std::string directory = links_directory(pin_directory_), path = directory + "/" + name;
  if (auto made = make_pin_directory(directory); !made) return made;
  if (bpf_obj_pin(link.get(), path.c_str())) return make_error("pin", path, errno);
  return {};
}

Result<> Links::replace(const Attachment& attachment, int program) const {
  const Fd link = open(attachment.link);
  if (!link) return make_error("open", attachment.link, errno);
  if (bpf_link_update(link.get(), program, nullptr)) return step_error("replace", attachment, errno);
  return {};
}

// At once if that is allowed, and else a moment after its last reference, the pin, has gone. A pin that we do not see
// stays.
Result<> Links::detach(const Attachment& attachment) {
  const Fd link = open(attachment.link);
  const bool detached = link && bpf_link_detach(link.get()) == 0;
  if (id_in(attachment.link) && !detached) return step_error("detach", attachment, errno);
  if (held_.erase(attachment.link) || id_in(attachment.link)) return {};
  std::error_code error;
  fs::remove(attachment.link, error);
  if (error) return make_error("remove", attachment.link, error.value());
  return {};
}

Means tc_means(const std::string& pin_directory) {
  constexpr int kLoopback = 1;
  LIBBPF_OPTS(bpf_prog_query_opts, query);
  const bool has_tcx =
      kBuiltForTcx && !pin_directory.empty() && bpf_prog_query_opts(kLoopback, kTcxIngress, &query) == 0;
  return has_tcx ? Means::kTcx : Means::kClsact;
}

}  // namespace fairlead::datapath
