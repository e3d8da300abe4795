#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/auth/call_context.h"

namespace bitwright::server {

// What a caller shows of itself.
struct Credentials {
  std::string bearer_token;      // of metadata "authorization: Bearer …"; empty: none
  std::string certificate_name;  // common name of a client certificate that the transport has verified; empty: none
  bool encrypted = false;        // the connection is TLS
};

// Tells who calls. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // UNAUTHENTICATED, reasons CREDENTIALS_MISSING and CREDENTIALS_INVALID.
  virtual absl::StatusOr<Principal> Authenticate(const Credentials& credentials) const = 0;
};

// Of a server that only this machine reaches: everybody is "anonymous", of the one tenant, and may do everything.
class OpenAuthenticator final : public Authenticator {
 public:
  absl::StatusOr<Principal> Authenticate(const Credentials&) const override {
    return Principal{.name = "anonymous", .roles = Roles::All()};
  }
};

}  // namespace bitwright::server
