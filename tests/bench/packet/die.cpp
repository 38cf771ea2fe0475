// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/packet/die.h"

#include <cstdlib>
#include <iostream>

namespace fairlead::bench {

void die(const std::string& message) {
  std::cerr << "bench packet: " << message << "\n";
  std::exit(1);
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) die("failed: " + command);
}

}  // namespace fairlead::bench
