#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"

namespace bitwright::server {

// What a service does against strangers.
struct Protection {
  bool tls = false;
  bool tokens = false;  // it asks who calls
};

// Accepts "unix:/path" and "HOST:PORT": with a loopback host (localhost, 127.0.0.0/8 or [::1]) in any case, with
// another one only under full protection. INVALID_ARGUMENT: LISTEN_INVALID for anything else, PUBLIC_PLAINTEXT_REFUSED
// for an address that other machines can reach, with what is missing.
absl::Status CheckListenAddress(const std::string& address, Protection protection);

// The same of the web page, which has no socket: "HOST:PORT", "off", or empty for where nobody says.
absl::Status CheckWebAddress(const std::string& address, Protection protection);

// Where metrics are served when nobody says: at the port after that of `listen`, so that servers that listen at
// different addresses start side by side; port 0 where that is any free port, or there is none after it. On the same
// host where that is loopback, else on 127.0.0.1: metrics are neither encrypted nor asked for a token.
// "off" beside a Unix socket: whoever hides the service behind a file does not want a port. `listen` was checked.
std::string MetricsAddressOf(const std::string& listen);
// Likewise of the web page: at the port after that.
std::string WebAddressOf(const std::string& listen);
// Host and port of a checked "HOST:PORT"; the host as a URL has it.
std::pair<std::string, int> HostAndPortOf(const std::string& address);
// "HOST:0": any free port of the same host.
std::string AnyPortOf(const std::string& address);

}  // namespace bitwright::server
