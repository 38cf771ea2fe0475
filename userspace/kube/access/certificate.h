// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "userspace/document/text_file.h"
#include "userspace/util/result.h"

namespace fairlead::kube {

// A PEM text that is given as such, or as the file that has it.
struct Pem {
  std::string text;
  std::filesystem::path file;  // empty: the text is given

  bool given() const { return !text.empty() || !file.empty(); }
  // An error names the file.
  Result<document::TextFile> read() const;
};

// A client certificate and its key, which somebody may replace together. Files are read again when they are other ones
// than before. If they are not a pair then, which they cannot be for a moment when they are replaced one after the
// other, the last pair stays in use until it is rejected.
class ClientCertificate {
 public:
  ClientCertificate(Pem certificate, Pem key);

  // Afterwards certificate() and key() are a pair. An error says which file or text is wrong, and why.
  Result<> refresh();
  void reject() { usable_ = false; }

  const std::string& certificate() const { return certificate_.used.text; }
  const std::string& key() const { return key_.used.text; }

 private:
  struct Part {
    Pem from;
    document::TextFile used;

    bool replaced() const;
  };

  Result<> read();

  Part certificate_;
  Part key_;
  bool usable_ = false;
};

// Errors say what is wrong with a text and leave it to the caller to name it; they quote nothing of it.

// That it has certificates, and that all of them can be read.
Result<> check_certificates(const std::string& pem);

// That both can be used together: the key, which no password protects, is that of the first certificate.
Result<> check_pair(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace fairlead::kube
