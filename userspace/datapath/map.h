// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>
#include <sys/mman.h>

#include <cerrno>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// A hash map of the kernel. Does not own its descriptor: the loaded object does.
template <class Key, class Value>
class HashMap {
 public:
  HashMap() = default;
  HashMap(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  Result<> put(const Key& key, const Value& value) const {
    if (bpf_map_update_elem(fd_, &key, &value, BPF_ANY)) return make_error("write", name_, errno);
    return {};
  }

  // Removing what is not there is no error.
  Result<> remove(const Key& key) const {
    if (bpf_map_delete_elem(fd_, &key) && errno != ENOENT) return make_error("delete from", name_, errno);
    return {};
  }

  std::optional<Value> get(const Key& key) const {
    Value value{};
    if (bpf_map_lookup_elem(fd_, &key, &value)) return std::nullopt;
    return value;
  }

  // Calls visit(key, value) for every entry; entries that come or go meanwhile may be missed.
  template <class Visit>
  void for_each(const Visit& visit) const {
    Key key{}, next{};
    for (const void* previous = nullptr; bpf_map_get_next_key(fd_, previous, &next) == 0; previous = &key) {
      key = next;
      if (const auto value = get(key)) visit(key, *value);
    }
  }

 private:
  int fd_ = -1;
  std::string name_;
};

// An array map of the kernel, mapped: reads and writes of aligned words are seen by the programs as they happen.
template <class Value>
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept : values_(std::exchange(other.values_, {})) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(values_, other.values_);
    return *this;
  }
  ~MappedArray() {
    if (!values_.empty()) munmap(values_.data(), bytes(values_.size()));
  }

  static Result<MappedArray> map(int fd, std::uint32_t entries, const std::string& name) {
    static_assert(sizeof(Value) % 8 == 0, "the kernel rounds array values up to 8 bytes");
    void* memory = mmap(nullptr, bytes(entries), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return make_error("map", name, errno);
    MappedArray array;
    array.values_ = {static_cast<Value*>(memory), entries};
    return array;
  }

  std::span<Value> values() const { return values_; }
  Value& operator[](std::size_t index) const { return values_[index]; }
  std::size_t size() const { return values_.size(); }

 private:
  static std::size_t bytes(std::size_t entries) {
    constexpr std::size_t kPage = 4096;
    return (entries * sizeof(Value) + kPage - 1) / kPage * kPage;
  }

  std::span<Value> values_;
};

// One value for each possible CPU.
template <class Value>
std::vector<Value> read_per_cpu(int fd, std::uint32_t index, std::size_t cpus) {
  static_assert(sizeof(Value) % 8 == 0);
  std::vector<Value> values(cpus);
  if (bpf_map_lookup_elem(fd, &index, values.data())) values.clear();
  return values;
}

}  // namespace fairlead::datapath
