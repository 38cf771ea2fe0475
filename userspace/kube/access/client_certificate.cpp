// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/client_certificate.h"

#include <utility>

#include "userspace/kube/access/pem.h"

namespace fairlead::kube {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

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

}  // namespace fairlead::kube
