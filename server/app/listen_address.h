#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::server {

// Accepts "unix:/path" and "HOST:PORT" with a loopback host: localhost, 127.0.0.0/8 or [::1]. INVALID_ARGUMENT:
// LISTEN_INVALID for anything else, PUBLIC_PLAINTEXT_REFUSED for an address that other machines can reach.
absl::Status CheckListenAddress(const std::string& address);

// Where metrics are served when nobody says: at the port after that of `listen`, on the same host, so that servers that
// listen at different addresses start side by side; port 0 where that is any free port, or there is none after it.
// "off" beside a Unix socket: whoever hides the service behind a file does not want a port. `listen` was checked.
std::string MetricsAddressOf(const std::string& listen);
// "HOST:0": any free port of the same host.
std::string AnyPortOf(const std::string& address);

}  // namespace bitwright::server
