#include "server/web/web_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

absl::Status LastError() {
  char text[256] = "unknown";
  ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
  ERR_clear_error();
  return WebTlsUnusableError(text);
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeContext(const std::string& identity, const std::string& client_ca) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_use_certificate_chain_file(context.get(), identity.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), identity.c_str(), SSL_FILETYPE_PEM) != 1) {
    return LastError();
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  if (client_ca.empty()) return context;
  constexpr unsigned char kSessions[] = "bitwright";
  if (SSL_CTX_load_verify_locations(context.get(), client_ca.c_str(), nullptr) != 1 ||
      SSL_CTX_set_session_id_context(context.get(), kSessions, sizeof kSessions - 1) != 1) {
    return LastError();
  }
  SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(client_ca.c_str()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<WebTls>> WebTls::Open(std::string identity, std::string client_ca) {
  std::unique_ptr<WebTls> tls(new WebTls(std::move(identity), std::move(client_ca)));
  ABSL_RETURN_IF_ERROR(tls->Load());
  return tls;
}

absl::Status WebTls::Load() {
  identity_stamp_ = StampOf(identity_);
  client_ca_stamp_ = StampOf(client_ca_);
  ABSL_ASSIGN_OR_RETURN(std::shared_ptr<SSL_CTX> made, MakeContext(identity_, client_ca_));
  absl::MutexLock lock(&mutex_);
  context_ = std::move(made);
  return absl::OkStatus();
}

void WebTls::Look() {
  if (StampOf(identity_) == identity_stamp_ && StampOf(client_ca_) == client_ca_stamp_) return;
  const absl::Status loaded = Load();
  if (!loaded.ok()) LOG(ERROR) << std::string(loaded.message()) << "; the certificate of before serves the web page";
}

std::shared_ptr<SSL_CTX> WebTls::context() const {
  absl::MutexLock lock(&mutex_);
  return context_;
}

}  // namespace bitwright::server
