// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "tests/support/refuse.h"

// A launcher: becomes another program, which the kernel refuses something.
//
//   fairlead-refusing bpf COMMAND ERRNO PROGRAM [ARGUMENT]...    bpf(COMMAND)
//   fairlead-refusing sendto LENGTH ERRNO PROGRAM [ARGUMENT]...  sendto() of more than LENGTH bytes
int main(int count, char** arguments) try {
  if (count < 5) return 2;
  const int what = std::atoi(arguments[2]), error = std::atoi(arguments[3]);
  if (arguments[1] == std::string_view("bpf"))
    fairlead::test::refuse_bpf(static_cast<bpf_cmd>(what), error);
  else
    fairlead::test::refuse_long_sendto(what, error);
  execvp(arguments[4], arguments + 4);
  return 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
