// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/gzip.h"

#include <new>

namespace fairlead::kube {
namespace {

constexpr int kGzipOnly = 16;  // added to the window bits, see inflateInit2() in zlib.h
constexpr std::size_t kStep = 64 << 10;

}  // namespace

Gunzip::Gunzip() {
  if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) throw std::bad_alloc();
}

Gunzip::~Gunzip() {
  inflateEnd(&stream_);
}

Result<> Gunzip::feed(std::string_view packed, std::string& out) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream_.avail_in = static_cast<uInt>(packed.size());
  bool more = !packed.empty();
  while (more) {
    if (done_) return Error{"gzip: bytes behind the end", 0};
    const std::size_t before = out.size();
    out.resize(before + kStep);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = kStep;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    out.resize(out.size() - stream_.avail_out);
    if (status == Z_BUF_ERROR) return {};  // nothing more to be had from this piece
    if (status != Z_OK && status != Z_STREAM_END)
      return Error{std::string("gzip: ") + (stream_.msg ? stream_.msg : "broken stream"), 0};
    done_ = status == Z_STREAM_END;
    more = stream_.avail_in > 0 || (stream_.avail_out == 0 && !done_);
  }
  return {};
}

}  // namespace fairlead::kube
