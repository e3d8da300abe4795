#include "server/auth/auth_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright::server {

absl::Status RoleMissingError(std::string_view principal, std::string_view method) {
  return MakeError(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                   "'" + std::string(principal) + "' may not call " + std::string(method) +
                       "; ask the operator of this server for a token with the role that it needs",
                   {{"principal", std::string(principal)}, {"method", std::string(method)}});
}

}  // namespace bitwright::server
