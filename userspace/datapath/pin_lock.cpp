// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/pin_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace fairlead::datapath {

Result<Fd> lock_pins(const std::string& pin_directory) {
  Fd directory(::open(pin_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return make_error("open", pin_directory, errno);
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return directory;
  if (errno != EWOULDBLOCK) return make_error("lock", pin_directory, errno);
  return Error{"lock " + pin_directory + ": another lbd is using it; stop that first", EBUSY};
}

}  // namespace fairlead::datapath
