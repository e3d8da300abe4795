#include "tests/support/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "proto/base/log.h"

namespace bitwright {
namespace {

struct Free {
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = ::BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string PemOf(X509* certificate) {
  const std::unique_ptr<BIO, Free> bio(::BIO_new(::BIO_s_mem()));
  CHECK(::PEM_write_bio_X509(bio.get(), certificate) == 1);
  return TextOf(bio.get());
}

std::string PemOf(EVP_PKEY* key) {
  const std::unique_ptr<BIO, Free> bio(::BIO_new(::BIO_s_mem()));
  CHECK(::PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return TextOf(bio.get());
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  CHECK(extension != nullptr) << value;
  CHECK(::X509_add_ext(certificate, extension, -1) == 1);
  ::X509_EXTENSION_free(extension);
}

// Not signed yet.
Certificate Draft(const std::string& common_name, EVP_PKEY* key) {
  Certificate certificate(::X509_new());
  ::X509_set_version(certificate.get(), X509_VERSION_3);
  uint32_t serial = 0;
  CHECK(::RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate.get()), serial);
  constexpr long kAgo = -60, kAhead = 3600;
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), kAgo);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), kAhead);
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  ::X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

struct TestAuthority::State {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate = Draft("test authority", key.get());
};

TestAuthority::TestAuthority() : state_(std::make_unique<State>()) {
  X509* own = state_->certificate.get();
  ::X509_set_issuer_name(own, ::X509_get_subject_name(own));
  AddExtension(own, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(own, NID_key_usage, "critical,keyCertSign,cRLSign");
  CHECK(::X509_sign(own, state_->key.get(), ::EVP_sha256()) > 0);
}

TestAuthority::~TestAuthority() = default;

std::string TestAuthority::certificate() const { return PemOf(state_->certificate.get()); }

TestIdentity TestAuthority::Issue(const std::string& common_name, const std::string& names) const {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = Draft(common_name, key.get());
  ::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(state_->certificate.get()));
  AddExtension(certificate.get(), NID_subject_alt_name, names);
  CHECK(::X509_sign(certificate.get(), state_->key.get(), ::EVP_sha256()) > 0);
  return {PemOf(certificate.get()), PemOf(key.get())};
}

}  // namespace bitwright
