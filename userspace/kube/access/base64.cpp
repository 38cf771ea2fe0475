// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/base64.h"

#include <openssl/evp.h>

#include <memory>

namespace fairlead::kube {
namespace {

constexpr std::string_view kUsed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  // OpenSSL takes a hyphen for the end and passes over blanks.
  if (text.find_first_not_of(kUsed) != std::string_view::npos) return std::nullopt;
  const std::unique_ptr<EVP_ENCODE_CTX, void (*)(EVP_ENCODE_CTX*)> context(EVP_ENCODE_CTX_new(), EVP_ENCODE_CTX_free);
  EVP_DecodeInit(context.get());
  std::string bytes(text.size() + 3, '\0');
  int size = 0, rest = 0;
  if (EVP_DecodeUpdate(context.get(), bytes_of(bytes), &size, bytes_of(text), static_cast<int>(text.size())) < 0 ||
      EVP_DecodeFinal(context.get(), bytes_of(bytes) + size, &rest) < 0)
    return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  return bytes;
}

}  // namespace fairlead::kube
