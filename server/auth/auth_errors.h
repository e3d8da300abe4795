#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

// Neither says anything of what the call asks for. UNAUTHENTICATED, reasons CREDENTIALS_MISSING and
// CREDENTIALS_INVALID.
absl::Status CredentialsMissingError();
absl::Status CredentialsInvalidError();
absl::Status RoleMissingError(std::string_view principal, std::string_view method);  // PERMISSION_DENIED, ROLE_MISSING

absl::Status TokensFileUnreadableError(const std::string& path, int error);  // UNAVAILABLE, TOKENS_FILE_UNREADABLE
// INVALID_ARGUMENT, TOKENS_FILE_INVALID: line `line` (from 1) "has …"; "write …".
absl::Status TokensFileInvalidError(const std::string& path, int line, std::string_view what, std::string_view remedy);
// UNAVAILABLE, AUDIT_UNWRITABLE. Clients see it, so it does not name the file.
absl::Status AuditUnwritableError(int error);

}  // namespace bitwright::server
