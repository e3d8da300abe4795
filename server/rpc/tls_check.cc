#include "server/rpc/tls_check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "server/rpc/tls_errors.h"

namespace bitwright::server {
namespace {

struct Free {
  void operator()(BIO* bio) const { ::BIO_free(bio); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> Reader(const std::string& text) {
  return Owned<BIO>(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is asked for the password of a key.
int NoPassword(char*, int, int, void*) { return -1; }

Owned<X509> FirstCertificate(const std::string& pem) {
  Owned<X509> certificate(::PEM_read_bio_X509(Reader(pem).get(), nullptr, NoPassword, nullptr));
  ::ERR_clear_error();  // gRPC reads the same queue of this thread
  return certificate;
}

Owned<EVP_PKEY> Key(const std::string& pem) {
  Owned<EVP_PKEY> key(::PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassword, nullptr));
  ::ERR_clear_error();
  return key;
}

}  // namespace

absl::Status CheckIdentity(const std::string& certificate, const std::string& key, const std::string& certificate_path,
                           const std::string& key_path) {
  const Owned<X509> first = FirstCertificate(certificate);
  if (first == nullptr) return TlsFileInvalidError("--tls-cert", certificate_path, "holds no certificate");
  const Owned<EVP_PKEY> own = Key(key);
  if (own == nullptr) return TlsFileInvalidError("--tls-key", key_path, "holds no key, or an encrypted one");
  const bool match = ::X509_check_private_key(first.get(), own.get()) == 1;
  ::ERR_clear_error();
  return match ? absl::OkStatus() : TlsKeyMismatchError(certificate_path, key_path);
}

absl::Status CheckClientCa(const std::string& certificates, const std::string& path) {
  return FirstCertificate(certificates) != nullptr
             ? absl::OkStatus()
             : TlsFileInvalidError("--tls-client-ca", path, "holds no certificate");
}

}  // namespace bitwright::server
