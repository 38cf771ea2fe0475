// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "userspace/util/result.h"

namespace fairlead::kube {

// Unpacks a gzip stream (RFC 1952) that comes in pieces.
class Gunzip {
 public:
  Gunzip();
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  // Unpacks the next piece and appends what it holds. An error is final.
  Result<> feed(std::string_view packed, std::string& out);
  // Whether the stream's end has been seen.
  bool done() const { return done_; }

 private:
  z_stream stream_{};
  bool done_ = false;
};

}  // namespace fairlead::kube
