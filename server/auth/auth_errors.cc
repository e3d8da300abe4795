#include "server/auth/auth_errors.h"

#include <cstring>

#include "proto/base/errors.h"

namespace bitwright::server {
namespace {

using absl::StatusCode;

constexpr char kGetToken[] =
    "give --token-file FILE (or BITWRIGHT_TOKEN_FILE) with a token that the operator of this server made with "
    "`bitwright token new`";

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

absl::Status CredentialsMissingError() {
  return MakeError(
      StatusCode::kUnauthenticated, "CREDENTIALS_MISSING",
      std::string("this server asks who is calling, and the call says nothing that it knows; ") + kGetToken);
}

absl::Status CredentialsInvalidError() {
  return MakeError(
      StatusCode::kUnauthenticated, "CREDENTIALS_INVALID",
      std::string("the token that came with the call is none of this server's, or no longer; ") + kGetToken);
}

absl::Status RoleMissingError(std::string_view principal, std::string_view method) {
  return MakeError(StatusCode::kPermissionDenied, "ROLE_MISSING",
                   "'" + Text(principal) + "' may not call " + Text(method) +
                       "; ask the operator of this server for a token with the role that it needs",
                   {{"principal", Text(principal)}, {"method", Text(method)}});
}

absl::Status TokensFileUnreadableError(const std::string& path, int error) {
  return MakeError(StatusCode::kUnavailable, "TOKENS_FILE_UNREADABLE",
                   "tokens file '" + path + "' cannot be read: " + std::strerror(error) +
                       "; check --tokens-file and who may read it",
                   {{"file", path}});
}

absl::Status TokensFileInvalidError(const std::string& path, int line, std::string_view what, std::string_view remedy) {
  const std::string number = std::to_string(line);
  return MakeError(StatusCode::kInvalidArgument, "TOKENS_FILE_INVALID",
                   "tokens file '" + path + "', line " + number + ": it " + Text(what) + "; " + Text(remedy),
                   {{"file", path}, {"line", number}});
}

absl::Status AuditUnwritableError(int error) {
  return MakeError(StatusCode::kUnavailable, "AUDIT_UNWRITABLE",
                   std::string("the server's audit log (--audit-log) cannot be written: ") + std::strerror(error) +
                       "; what changes something is refused until its operator makes room or mends its rights");
}

}  // namespace bitwright::server
