// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <vector>

// What the kernel refuses a thread from now on, to its end, which a test can have in no other way. Needs root.
namespace fairlead::test {

inline void filter_calls(std::vector<sock_filter> instructions) {
  const sock_fprog filter{static_cast<unsigned short>(instructions.size()), instructions.data()};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
    throw std::system_error(errno, std::system_category(), "PR_SET_SECCOMP");
}

// A system call, SYS_*.
inline void refuse_call(long number, int error) {
  filter_calls({
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  });
}

// sendto() of more than so many bytes, on a host that is little-endian: half of the argument is looked at.
inline void refuse_long_sendto(int length, int error) {
  filter_calls({
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<__u32>(length), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  });
}

// bpf(command), on a host that is little-endian: half of the argument is looked at.
inline void refuse_bpf(bpf_cmd command, int error) {
  filter_calls({
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(command), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  });
}

}  // namespace fairlead::test
