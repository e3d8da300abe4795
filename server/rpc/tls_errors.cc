#include "server/rpc/tls_errors.h"

#include <cstring>

#include "proto/base/errors.h"

namespace bitwright::server {
namespace {

using absl::StatusCode;

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

absl::Status TlsOptionMissingError(std::string_view given, std::string_view missing) {
  return MakeError(StatusCode::kInvalidArgument, "TLS_OPTIONS_INCOMPLETE",
                   Text(given) + " is given without " + Text(missing) +
                       "; a server with TLS needs --tls-cert and --tls-key, and --tls-client-ca where clients are to "
                       "have certificates",
                   {{"given", Text(given)}, {"missing", Text(missing)}});
}

absl::Status TlsFileUnreadableError(const std::string& path, int error) {
  return MakeError(
      StatusCode::kInvalidArgument, "TLS_FILE_UNREADABLE",
      "'" + path + "' cannot be read: " + std::strerror(error) +
          "; check what is given as --tls-cert, --tls-key and --tls-client-ca, and who may read these files",
      {{"file", path}});
}

absl::Status TlsFileInvalidError(std::string_view option, const std::string& path, std::string_view why) {
  return MakeError(StatusCode::kInvalidArgument, "TLS_FILE_INVALID",
                   "'" + path + "', given as " + Text(option) + ", " + Text(why) + "; give a file in PEM form",
                   {{"file", path}, {"option", Text(option)}});
}

absl::Status TlsKeyMismatchError(const std::string& certificate, const std::string& key) {
  return MakeError(StatusCode::kInvalidArgument, "TLS_KEY_MISMATCH",
                   "the key in '" + key + "' is not that of the first certificate in '" + certificate +
                       "'; give --tls-cert and --tls-key that belong together, the server's own certificate first",
                   {{"certificate", certificate}, {"key", key}});
}

absl::Status TlsCopyUnwritableError(const std::string& path, int error) {
  return MakeError(StatusCode::kUnavailable, "TLS_COPY_UNWRITABLE",
                   "the server's copy '" + path + "' of its certificates cannot be written: " + std::strerror(error),
                   {{"file", path}});
}

}  // namespace bitwright::server
