// SPDX-License-Identifier: Apache-2.0
//
// Loads the programs as lbd does and says what the verifier made of each.
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "userspace/datapath/object.h"

namespace fairlead::datapath {
namespace {

constexpr int kSkipped = 77;

bool report(int program) {
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &length)) {
    std::perror("ask about a program");
    return false;
  }
  std::printf("%-14s %-10s loaded, %6u instructions verified\n", info.name,
              libbpf_bpf_prog_type_str(static_cast<bpf_prog_type>(info.type)), info.verified_insns);
  return true;
}

int load_all() {
  if (geteuid() != 0) {
    std::puts("SKIPPED: needs root: loads BPF programs");
    return kSkipped;
  }
  utsname system{};
  uname(&system);
  std::printf("on Linux %s\n", system.release);
  const auto object = Object::load({});
  if (!object) {
    std::puts(object.error().message.c_str());
    return 1;
  }
  const Object& loaded = **object;
  bool good = true;
  for (const int program :
       {loaded.xdp_program(), loaded.tc_ingress_program(), loaded.tc_egress_program(), loaded.sweep_program()})
    good = report(program) && good;
  return good ? 0 : 1;
}

}  // namespace
}  // namespace fairlead::datapath

int main() {
  return fairlead::datapath::load_all();
}
