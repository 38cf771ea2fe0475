// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/attachments.h"

#include <utility>

namespace fairlead::datapath {

Result<Actual> Attachments::read() {
  auto filters = read_filters();
  if (!filters) return filters.error();
  auto all = links_.read();
  if (!all) return all.error();
  all->attachments.insert(all->attachments.end(), filters->attachments.begin(), filters->attachments.end());
  all->no_filters = std::move(filters->no_filters);
  all->filters_before = std::move(filters->filters_before);
  all->unused_qdiscs = std::move(filters->unused_qdiscs);
  return all;
}

Result<> Attachments::attach(const Attachment& attachment, int program) {
  return attachment.means == Means::kClsact ? attach_filter(attachment, program) : links_.create(attachment, program);
}

Result<> Attachments::replace(const Attachment& attachment, int program) {
  return attachment.means == Means::kClsact ? replace_filter(attachment, program) : links_.replace(attachment, program);
}

Result<> Attachments::detach(const Attachment& attachment) {
  return attachment.means == Means::kClsact ? detach_filter(attachment) : links_.detach(attachment);
}

std::set<int> devices_with_programs(const std::string& pin_directory) {
  std::set<int> devices = Links(pin_directory).whereabouts().here;
  if (const auto filters = read_filters())
    for (const Attachment& attachment : filters->attachments)
      devices.insert(attachment.ifindex);
  return devices;
}

}  // namespace fairlead::datapath
