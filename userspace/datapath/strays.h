// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// Pin directories of other lbds in the same bpf file system that hold maps.
struct OtherPins {
  std::vector<std::string> of_this_namespace;  // as they say, or their links show
  std::vector<std::string> of_others;          // as they say, or nothing shows otherwise
};
OtherPins other_pins(const std::string& pin_directory);

// Maps that outlive the programs which use them and their pins below one directory, because of pins that --cleanup does
// not see.
class Strays {
 public:
  // Before anything is taken off or removed.
  Strays(const std::string& pin_directory, const std::vector<Attachment>& attachments);

  // Afterwards. Maps that are just going are waited for.
  std::vector<Error> remaining() const;

 private:
  std::string pin_directory_;
  bool has_programs_ = false, has_pins_ = false;
  std::set<std::uint32_t> maps_;  // none where it may not be asked
};

}  // namespace fairlead::datapath
