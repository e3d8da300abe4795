#pragma once

#include <string>

#include "server/auth/authenticator.h"

namespace bitwright::server {

// Knows the workers that the server itself starts, by a token that it made for them, and leaves all others to another
// authenticator. Thread-safe.
class LocalWorkerAuthenticator final : public Authenticator {
 public:
  // `others` outlives this. `alone_in_plaintext`: where the service speaks TLS, what is not encrypted came in by the
  // port that is for local workers, and nobody else gets in there.
  LocalWorkerAuthenticator(const Authenticator& others, const std::string& token, bool alone_in_plaintext);

  absl::StatusOr<Principal> Authenticate(const Credentials& credentials) const override;

 private:
  const Authenticator& others_;
  const std::string token_hash_;
  const bool alone_in_plaintext_;
};

}  // namespace bitwright::server
