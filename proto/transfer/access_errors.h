#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

// Errors of what is given to reach a server. All but the last are made before it is reached, and INVALID_ARGUMENT,
// since they say which option or file to change.
namespace bitwright {

absl::Status AccessFileUnreadableError(const std::string& path, int error);                // ACCESS_FILE_UNREADABLE
absl::Status TokenFileInvalidError(const std::string& path, std::string_view why);         // TOKEN_FILE_INVALID
absl::Status TokenNeedsTlsError(std::string_view address);                                 // TOKEN_NEEDS_TLS
absl::Status TlsOptionsIncompleteError(std::string_view given, std::string_view lacking);  // TLS_OPTIONS_INCOMPLETE
absl::Status PemInvalidError(const std::string& path, std::string_view what);              // TLS_FILE_INVALID
// UNAVAILABLE, TOKEN_RENEWED: the token was refused, and its file has another one by now.
absl::Status TokenRenewedError();

}  // namespace bitwright
