#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a program in a virtual machine, on the newest kernel of this Debian release's cloud images, and exits as the program did.
# Prints what the machine's console said. Exits with 77, after a line that says why, where there can be no such machine.
#
# The kernel is downloaded with apt-get and kept in ${XDG_CACHE_HOME:-~/.cache}/fairlead. The machine is emulated: it needs neither
# KVM, which is there but hangs on some hosts, nor root, and it has no disk and no network.
#
# usage: vm.sh PROGRAM
set -euo pipefail

program=$(realpath "$1")
meta_package=linux-image-cloud-amd64
deadline=240
cache=${XDG_CACHE_HOME:-~/.cache}/fairlead

skip() {
  echo "SKIPPED: $*" >&2
  exit 77
}

check_requirements() {
  local tool
  [[ $(uname -m) == x86_64 ]] || skip "needs an x86-64 machine, for whose kernels this is written"
  for tool in apt-get busybox cpio qemu-system-x86_64; do
    [[ $(type -P "$tool") ]] || skip "needs $tool (scripts/install-deps installs it)"
  done
}

apt_options=(-qq -o APT::Sandbox::User= -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)

# The system's package lists may be missing, or so old that what they name is gone from the mirrors: lists of our own are neither.
refresh_own_lists() {
  mkdir -p "$cache/apt/lists/partial" "$cache/apt/cache"
  apt_options+=(-o "Dir::State::Lists=$cache/apt/lists" -o "Dir::Cache=$cache/apt/cache")
  apt-get "${apt_options[@]}" update >&2
}

newest_package() {
  apt-cache "${apt_options[@]}" depends "$meta_package" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1
}

download() {
  (
    cd "$work"
    echo "vm: downloading $1 ..." >&2
    apt-get "${apt_options[@]}" download "$1" >&2 &&
      dpkg-deb --fsys-tarfile "$1"_*.deb | tar -x --wildcards './boot/vmlinuz-*' &&
      mv boot/vmlinuz-* "$kernels/$1"
  )
}

get_newest() {
  local package
  package=$(newest_package)
  [[ $package ]] || return
  [[ -f $kernels/$package ]] || download "$package" || return
  echo "$kernels/$package"
}

get_cached() { find "$kernels" -type f | sort -V | tail -n 1 | grep .; }

# Whoever comes second finds the kernel in the cache.
get_kernel() {
  exec 9>"$cache/lock"
  flock 9
  get_newest || { refresh_own_lists && get_newest; } || get_cached
}

write_init() {
  cat >"$1" <<'TEXT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/program </dev/null
echo "vm: the program exited with $?"
/bin/busybox poweroff -f
TEXT
  chmod +x "$1"
}

make_initramfs() {
  local root=$work/root libraries
  mkdir -p "$root"/{bin,proc,sys,dev}
  cp "$(type -P busybox)" "$root/bin/busybox"
  cp "$program" "$root/program"
  mapfile -t libraries < <(ldd "$program" | grep -o '/[^ ]*')
  cp --dereference --parents "${libraries[@]}" "$root"
  write_init "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 >"$work/initramfs"
}

# panic=-1 and -no-reboot make a panic the end of the machine rather than a wait for the deadline. The kernel panics where its timer
# seems not to tick, and on a busy host an emulated one may seem so: no_timer_check.
boot() {
  timeout --foreground --kill-after=10 "$deadline" \
    qemu-system-x86_64 -accel tcg -m 2048 -nodefaults -display none -serial "file:$work/console" -no-reboot \
    -kernel "$kernel" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1 no_timer_check" </dev/null
}

report() {
  local status=$1 verdict
  tr -d '\r' <"$work/console" | tail -n 200
  verdict=$(tr -d '\r' <"$work/console" | sed -n 's/^vm: the program exited with \([0-9]*\)$/\1/p')
  [[ $verdict ]] && exit "$verdict"
  ((status == 124)) && echo "vm: no result within $deadline seconds; above is the console's tail" >&2 && exit 1
  echo "vm: the machine ended (qemu: $status) before the program did; above is the console's tail" >&2
  exit 1
}

check_requirements
# shellcheck source=/dev/null
kernels=$cache/kernels-$(. /etc/os-release && echo "$ID-$VERSION_ID")
mkdir -p "$kernels" || skip "cannot write to $cache"
work=$(mktemp -d "$cache/vm.XXXXXX")
trap 'rm -rf "$work"' EXIT
kernel=$(get_kernel </dev/null) ||
  skip "no kernel: $meta_package cannot be downloaded, and there is none in $kernels"
echo "vm: booting $(basename "$kernel")"
make_initramfs
: >"$work/console"
status=0
boot || status=$?
report "$status"
