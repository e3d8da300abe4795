#include "server/app/access.h"

#include <filesystem>
#include <system_error>

#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/contract/principals.h"
#include "server/app/app_errors.h"

namespace bitwright::server {

Protection ProtectionOf(const Options& options) {
  return {.tls = options.tls.on(), .tokens = !options.tokens_file.empty()};
}

Protection ScalerProtectionOf(const Options& options) { return {.tls = options.tls.on(), .tokens = true}; }

namespace {

std::string TlsFolder(const DataDir& data) { return data.path() + "/tls"; }
std::string WorkerTokenFile(const DataDir& data) { return data.path() + "/worker-token"; }

// What an earlier start with other options left.
void RemoveSecrets(const DataDir& data) {
  std::error_code ignored;  // what is needed is written anew, with errors
  std::filesystem::remove_all(TlsFolder(data), ignored);
  std::filesystem::remove(WorkerTokenFile(data), ignored);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Access>> Access::Open(const Options& options, const DataDir& data) {
  std::unique_ptr<Access> access(new Access);
  RemoveSecrets(data);
  if (!options.tokens_file.empty()) {
    ABSL_ASSIGN_OR_RETURN(access->tokens_, TokenFile::Open(options.tokens_file));
  }
  if (options.tls.on()) {
    ABSL_ASSIGN_OR_RETURN(access->tls_, ServerTls::Open(options.tls, TlsFolder(data)));
  }
  if (!options.audit_log.empty()) {
    ABSL_ASSIGN_OR_RETURN(access->audit_, AuditLog::Open(options.audit_log));
  }
  if (access->tokens_ != nullptr || access->tls_ != nullptr) ABSL_RETURN_IF_ERROR(access->MakeWorkerToken(data));
  return access;
}

absl::Status Access::MakeWorkerToken(const DataDir& data) {
  const std::string token = MakeToken();
  worker_token_file_ = WorkerTokenFile(data);
  ABSL_RETURN_IF_ERROR(WritePrivateFile(worker_token_file_, token + "\n", DataFileUnwritableError));
  const Authenticator& others = tokens_ != nullptr ? static_cast<const Authenticator&>(*tokens_) : open_;
  with_workers_ = std::make_unique<LocalWorkerAuthenticator>(others, token, /*alone_in_plaintext=*/tls_ != nullptr);
  return absl::OkStatus();
}

const Authenticator& Access::authenticator() const {
  return with_workers_ != nullptr ? static_cast<const Authenticator&>(*with_workers_) : open_;
}

void Access::Look() {
  if (tokens_ != nullptr) tokens_->Look();
  if (tls_ != nullptr) tls_->Look();
}

}  // namespace bitwright::server
