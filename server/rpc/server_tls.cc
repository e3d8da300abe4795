#include "server/rpc/server_tls.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/stat.h>

#include <cerrno>

#include "proto/base/files.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "server/rpc/tls_check.h"
#include "server/rpc/tls_errors.h"

namespace bitwright::server {
namespace {

constexpr unsigned kRefreshSeconds = 1;

}  // namespace

absl::Status CheckTlsOptions(const TlsFiles& files) {
  if (files.on() && files.key.empty()) return TlsOptionMissingError("--tls-cert", "--tls-key");
  if (!files.on() && !files.key.empty()) return TlsOptionMissingError("--tls-key", "--tls-cert");
  if (!files.on() && !files.client_ca.empty()) return TlsOptionMissingError("--tls-client-ca", "--tls-cert");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ServerTls>> ServerTls::Open(const TlsFiles& files, const std::string& folder) {
  ABSL_RETURN_IF_ERROR(CheckTlsOptions(files));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return TlsCopyUnwritableError(folder, errno);
  std::unique_ptr<ServerTls> tls(new ServerTls(files, folder));
  ABSL_RETURN_IF_ERROR(tls->Copy());
  return tls;
}

ServerTls::Stamps ServerTls::Stamp() const {
  return {StampOf(files_.certificate), StampOf(files_.key), StampOf(files_.client_ca)};
}

absl::Status ServerTls::Copy() {
  seen_ = Stamp();  // before the bytes: what is written meanwhile is seen the next time
  ABSL_ASSIGN_OR_RETURN(const std::string certificate, ReadWholeFile(files_.certificate, TlsFileUnreadableError));
  ABSL_ASSIGN_OR_RETURN(const std::string key, ReadWholeFile(files_.key, TlsFileUnreadableError));
  ABSL_RETURN_IF_ERROR(CheckIdentity(certificate, key, files_.certificate, files_.key));
  if (!files_.client_ca.empty()) {
    ABSL_ASSIGN_OR_RETURN(const std::string client_ca, ReadWholeFile(files_.client_ca, TlsFileUnreadableError));
    ABSL_RETURN_IF_ERROR(CheckClientCa(client_ca, files_.client_ca));
    ABSL_RETURN_IF_ERROR(WritePrivateFile(ClientCaCopy(), client_ca, TlsCopyUnwritableError));
  }
  return WritePrivateFile(IdentityCopy(), key + "\n" + certificate, TlsCopyUnwritableError);
}

void ServerTls::Look() {
  if (Stamp() == seen_) return;
  if (const absl::Status copied = Copy(); !copied.ok()) {
    LOG(ERROR) << "the certificates of before stay in use: " << std::string(copied.message());
  } else {
    LOG(INFO) << "renewed certificates are taken up";
  }
}

std::shared_ptr<grpc::ServerCredentials> ServerTls::Credentials() const {
  using grpc::experimental::FileWatcherCertificateProvider;
  const bool clients = !files_.client_ca.empty();
  // Parsers of PEM skip what they do not look for, so that one file is both key and certificates.
  grpc::experimental::TlsServerCredentialsOptions options(std::make_shared<FileWatcherCertificateProvider>(
      IdentityCopy(), IdentityCopy(), clients ? ClientCaCopy() : "", kRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (clients) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace bitwright::server
