// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/listing.h"

#include <algorithm>
#include <system_error>

namespace fairlead::datapath {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> list(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    entries.push_back(entry->path());
  if (error && error != std::errc::no_such_file_or_directory) return make_error("read", directory, error.value());
  std::ranges::sort(entries);
  return entries;
}

}  // namespace fairlead::datapath
