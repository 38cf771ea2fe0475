// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace fairlead::source {

// An object of whatever kind, immutable and shared; or none. It equals another one of its type that says the same.
class Object {
 public:
  Object() = default;
  template <class T>
  Object(std::shared_ptr<T> value)
      : type_(value ? &kType<std::remove_const_t<T>> : nullptr), value_(std::move(value)) {}

  bool empty() const { return !value_; }
  // Null where it is none, or of another type.
  template <class T>
  std::shared_ptr<const T> as() const {
    return type_ == &kType<T> ? std::static_pointer_cast<const T>(value_) : nullptr;
  }

  bool operator==(const Object& other) const {
    return type_ == other.type_ && (value_ == other.value_ || type_->equal(value_.get(), other.value_.get()));
  }

 private:
  struct Type {
    bool (*equal)(const void*, const void*);
  };
  template <class T>
  static constexpr Type kType{
      [](const void* a, const void* b) { return *static_cast<const T*>(a) == *static_cast<const T*>(b); }};

  const Type* type_ = nullptr;
  std::shared_ptr<const void> value_;
};

}  // namespace fairlead::source
