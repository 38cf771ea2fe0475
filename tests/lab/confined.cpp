// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/confined.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace fairlead::test {
std::vector<std::string> confined_to(const Capabilities& capabilities) {
  std::string bounding = "-all";
  for (const std::string& capability : capabilities) {
    bounding += ",+";
    std::transform(capability.begin(), capability.end(), std::back_inserter(bounding),
                   [](unsigned char c) { return std::tolower(c); });
  }
  return {"setpriv", "--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=" + bounding};
}

}  // namespace fairlead::test
