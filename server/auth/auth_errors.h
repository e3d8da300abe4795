#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status RoleMissingError(std::string_view principal, std::string_view method);  // PERMISSION_DENIED, ROLE_MISSING

}  // namespace bitwright::server
