// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/gzip.h"

#include <gtest/gtest.h>

#include <random>

namespace fairlead::kube {
namespace {

// Text that neither shrinks to nothing nor stays as long as it is.
std::string some_text(std::size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size)
    text += "abcdefgh"[random() % 8];
  return text;
}

std::string pack(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(Gunzip, UnpacksWhateverThePieces) {
  const std::string text = some_text(300'000), packed = pack(text);
  for (const std::size_t piece : {1ul, 7ul, 4096ul, packed.size()}) {
    Gunzip gunzip;
    std::string out;
    for (std::size_t at = 0; at < packed.size(); at += piece)
      ASSERT_TRUE(gunzip.feed(std::string_view(packed).substr(at, piece), out));
    EXPECT_TRUE(gunzip.done());
    EXPECT_EQ(out, text) << piece;
  }
}

// As when the end of a body comes in a read of its own; 65536 is a full step of the output.
TEST(Gunzip, TakesAnEmptyPieceAtTheEnd) {
  for (const std::size_t size : {1000ul, 65536ul, 131072ul}) {
    Gunzip gunzip;
    std::string out;
    ASSERT_TRUE(gunzip.feed(pack(some_text(size)), out));
    EXPECT_TRUE(gunzip.feed("", out));
    EXPECT_TRUE(gunzip.done());
    EXPECT_EQ(out.size(), size);
  }
}

TEST(Gunzip, KnowsWhetherTheEndWasSeen) {
  const std::string packed = pack(some_text(1000));
  Gunzip gunzip;
  std::string out;
  ASSERT_TRUE(gunzip.feed(std::string_view(packed).substr(0, packed.size() - 1), out));
  EXPECT_FALSE(gunzip.done());
}

TEST(Gunzip, RefusesWhatIsNoGzip) {
  Gunzip garbage;
  std::string out;
  EXPECT_FALSE(garbage.feed("{\"kind\":\"List\"}", out));

  Gunzip longer;
  EXPECT_FALSE(longer.feed(pack("text") + "more", out));
}

}  // namespace
}  // namespace fairlead::kube
