#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::server {

// Accepts "unix:/path" and "HOST:PORT" with a loopback host: localhost, 127.0.0.0/8 or [::1]. INVALID_ARGUMENT:
// LISTEN_INVALID for anything else, PUBLIC_PLAINTEXT_REFUSED for an address that other machines can reach.
absl::Status CheckListenAddress(const std::string& address);

}  // namespace bitwright::server
