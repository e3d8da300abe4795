#include "server/auth/local_worker.h"

#include "proto/contract/digest.h"
#include "server/auth/auth_errors.h"
#include "server/auth/principals.h"

namespace bitwright::server {

LocalWorkerAuthenticator::LocalWorkerAuthenticator(const Authenticator& others, const std::string& token,
                                                   bool alone_in_plaintext)
    : others_(others), token_hash_(Sha256Hex(token)), alone_in_plaintext_(alone_in_plaintext) {}

absl::StatusOr<Principal> LocalWorkerAuthenticator::Authenticate(const Credentials& credentials) const {
  const std::string& token = credentials.bearer_token;
  // It is never sent over TLS, so that whoever shows it there has stolen it.
  const bool may_be = !token.empty() && !credentials.encrypted;
  if (may_be && SameSecret(Sha256Hex(token), token_hash_)) {
    return Principal{.name = "local-worker", .roles = {Role::kWorker}};
  }
  if (!alone_in_plaintext_ || credentials.encrypted) return others_.Authenticate(credentials);
  return token.empty() ? CredentialsMissingError() : CredentialsInvalidError();
}

}  // namespace bitwright::server
