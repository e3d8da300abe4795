#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/app/data_dir.h"
#include "server/app/listen_address.h"
#include "server/app/options.h"
#include "server/auth/audit_log.h"
#include "server/auth/authenticator.h"
#include "server/auth/local_worker.h"
#include "server/auth/token_file.h"
#include "server/rpc/server_tls.h"

namespace bitwright::server {

// Who may call this server and how connections are protected, as the options say: tokens, TLS, the workers that the
// server starts itself, the audit log.
class Access {
 public:
  // Reads all files that the options name, and makes a new token for local workers where callers are told apart or the
  // service speaks TLS. Nothing listens before. Errors of token_file.h, server_tls.h and audit_log.h;
  // DATA_DIR_UNUSABLE.
  static absl::StatusOr<std::unique_ptr<Access>> Open(const Options& options, const DataDir& data);

  const Authenticator& authenticator() const;
  AuditLog& audit() { return *audit_; }
  // Of the service; none: plaintext.
  std::shared_ptr<grpc::ServerCredentials> tls() const { return tls_ == nullptr ? nullptr : tls_->Credentials(); }
  // The files that it is made of, which are replaced in one step when they are renewed; empty: there are none.
  std::string identity_file() const { return tls_ == nullptr ? "" : tls_->identity_file(); }
  std::string client_ca_file() const { return tls_ == nullptr ? "" : tls_->client_ca_file(); }
  // The file that local workers are to be given as --token-file, which this user alone can read; empty: they need none.
  const std::string& worker_token_file() const { return worker_token_file_; }

  // To be called each second: takes up changed files.
  void Look();

 private:
  Access() = default;
  absl::Status MakeWorkerToken(const DataDir& data);

  OpenAuthenticator open_;
  std::unique_ptr<TokenFile> tokens_;
  std::unique_ptr<LocalWorkerAuthenticator> with_workers_;
  std::unique_ptr<ServerTls> tls_;
  std::unique_ptr<AuditLog> audit_ = std::make_unique<AuditLog>();
  std::string worker_token_file_;
};

// What the options say of the service's protection, for CheckListenAddress.
Protection ProtectionOf(const Options& options);
// The same for --scaler-listen, where nobody is told apart: tokens are not missed there.
Protection ScalerProtectionOf(const Options& options);

}  // namespace bitwright::server
