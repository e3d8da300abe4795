#include "proto/transfer/access_errors.h"

#include <cstring>

#include "proto/base/errors.h"

namespace bitwright {
namespace {

constexpr absl::StatusCode kCode = absl::StatusCode::kInvalidArgument;

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

absl::Status AccessFileUnreadableError(const std::string& path, int error) {
  return MakeError(
      kCode, "ACCESS_FILE_UNREADABLE",
      "'" + path + "' cannot be read: " + std::strerror(error) +
          "; check what is given as --token-file, --tls-ca, --tls-cert and --tls-key, and who may read these files",
      {{"file", path}});
}

absl::Status TokenFileInvalidError(const std::string& path, std::string_view why) {
  return MakeError(
      kCode, "TOKEN_FILE_INVALID",
      "token file '" + path + "' " + Text(why) + "; its first line is to be a token as `bitwright token new` prints it",
      {{"file", path}});
}

absl::Status TokenNeedsTlsError(std::string_view address) {
  return MakeError(kCode, "TOKEN_NEEDS_TLS",
                   "a token would go to '" + Text(address) +
                       "' in clear, where others can read it; give --tls-ca FILE with the certificate that signs the "
                       "server's (or --tls-ca system), or reach the server through a loopback address or a socket",
                   {{"address", Text(address)}});
}

absl::Status TlsOptionsIncompleteError(std::string_view given, std::string_view lacking) {
  return MakeError(kCode, "TLS_OPTIONS_INCOMPLETE",
                   Text(given) + " is given without " + Text(lacking) + "; give both or none",
                   {{"given", Text(given)}, {"lacking", Text(lacking)}});
}

absl::Status PemInvalidError(const std::string& path, std::string_view what) {
  return MakeError(kCode, "TLS_FILE_INVALID", "'" + path + "' holds no " + Text(what) + " in PEM form",
                   {{"file", path}});
}

absl::Status TokenRenewedError() {
  return MakeError(absl::StatusCode::kUnavailable, "TOKEN_RENEWED",
                   "the token was replaced meanwhile; the call goes again with the new one");
}

}  // namespace bitwright
