// SPDX-License-Identifier: Apache-2.0
#include "tests/support/netns.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>

#include "userspace/util/fd.h"

namespace fairlead::test {

Result<> enter_namespace(const std::string& name) {
  const std::string path = "/run/netns/" + name;
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return make_error("open", path, errno);
  if (setns(fd.get(), CLONE_NEWNET) != 0) return make_error("enter", path, errno);
  return {};
}

}  // namespace fairlead::test
