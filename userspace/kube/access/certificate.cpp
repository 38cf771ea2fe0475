// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <utility>

namespace fairlead::kube {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

struct Release {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

// OpenSSL's own would ask for one at the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

Owned<BIO> reading(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Owned<X509> next_certificate(BIO* from) {
  return Owned<X509>(PEM_read_bio_X509(from, nullptr, no_password, nullptr));
}

// Empties the thread's queue of errors, in which whoever uses OpenSSL next would find ours.
bool stopped_at_end() {
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end;
}

}  // namespace

Result<document::TextFile> Pem::read() const {
  if (file.empty()) return document::TextFile{{}, text};
  auto content = document::TextFile::read(file, kMaxBytes);
  if (!content) return Error{file.string() + " " + content.error().message, content.error().code};
  return content;
}

bool ClientCertificate::Part::replaced() const {
  if (from.file.empty()) return false;
  const auto now = document::TextFile::look(from.file, kMaxBytes);
  return !now || !(*now == used.stamp);
}

ClientCertificate::ClientCertificate(Pem certificate, Pem key)
    : certificate_{std::move(certificate), {}}, key_{std::move(key), {}} {
}

Result<> ClientCertificate::refresh() {
  if (usable_ && !certificate_.replaced() && !key_.replaced()) return {};
  auto done = read();
  return usable_ ? Result<>() : done;
}

Result<> ClientCertificate::read() {
  auto certificate = certificate_.from.read();
  if (!certificate) return certificate.error();
  auto key = key_.from.read();
  if (!key) return key.error();
  if (auto pair = check_pair(certificate->text, key->text); !pair) return pair;
  certificate_.used = *std::move(certificate);
  key_.used = *std::move(key);
  usable_ = true;
  return {};
}

Result<> check_certificates(const std::string& pem) {
  const auto from = reading(pem);
  int count = 0;
  while (next_certificate(from.get()))
    ++count;
  if (!stopped_at_end()) return Error{"certificate " + std::to_string(count + 1) + " cannot be read", 0};
  if (count == 0) return Error{"has no PEM certificate", 0};
  return {};
}

Result<> check_pair(const std::string& certificate_pem, const std::string& key_pem) {
  if (auto readable = check_certificates(certificate_pem); !readable)
    return Error{"the certificate: " + readable.error().message, 0};
  const auto certificate = next_certificate(reading(certificate_pem).get());
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reading(key_pem).get(), nullptr, no_password, nullptr));
  const bool match = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!key) return Error{"the key: has no PEM private key that can be read without a password", 0};
  if (!match) return Error{"the key is not that of the certificate", 0};
  return {};
}

}  // namespace fairlead::kube
