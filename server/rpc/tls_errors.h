#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

// What is wrong with the files of a server's TLS. All name the file and its option; INVALID_ARGUMENT.
namespace bitwright::server {

absl::Status TlsOptionMissingError(std::string_view given, std::string_view missing);  // TLS_OPTIONS_INCOMPLETE
absl::Status TlsFileUnreadableError(const std::string& path, int error);               // TLS_FILE_UNREADABLE
// TLS_FILE_INVALID: "holds no certificate …".
absl::Status TlsFileInvalidError(std::string_view option, const std::string& path, std::string_view why);
absl::Status TlsKeyMismatchError(const std::string& certificate, const std::string& key);  // TLS_KEY_MISMATCH
absl::Status TlsCopyUnwritableError(const std::string& path, int error);  // UNAVAILABLE, TLS_COPY_UNWRITABLE

}  // namespace bitwright::server
