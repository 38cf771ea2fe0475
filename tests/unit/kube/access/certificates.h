// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>

namespace fairlead::kube {

// A certificate that signed itself, with a key of its own.
class Issued {
 public:
  Issued() : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) { sign(); }
  // Of this name, for a server at 127.0.0.1.
  explicit Issued(const std::string& name) : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    X509_set_version(certificate_, X509_VERSION_3);
    X509_NAME* subject = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate_, subject);
    X509_EXTENSION* at = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate_, at, -1);
    X509_EXTENSION_free(at);
    sign();
  }
  Issued(const Issued&) = delete;
  ~Issued() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }

  std::string certificate() const {
    return text([this](BIO* to) { PEM_write_bio_X509(to, certificate_); });
  }
  std::string key() const {
    return text([this](BIO* to) { PEM_write_bio_PrivateKey(to, key_, nullptr, nullptr, 0, nullptr, nullptr); });
  }
  std::string locked_key() const {
    return text([this](BIO* to) {
      char password[] = "secret";
      PEM_write_bio_PrivateKey(to, key_, EVP_aes_128_cbc(), nullptr, 0, nullptr, password);
    });
  }

 private:
  void sign() {
    X509_gmtime_adj(X509_getm_notBefore(certificate_), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_sign(certificate_, key_, EVP_sha256());
  }

  template <class Write>
  static std::string text(Write write) {
    BIO* memory = BIO_new(BIO_s_mem());
    write(memory);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    std::string result(bytes, static_cast<std::size_t>(size));
    BIO_free(memory);
    return result;
  }

  EVP_PKEY* key_;
  X509* certificate_;
};

}  // namespace fairlead::kube
