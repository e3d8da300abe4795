#include "server/auth/local_worker.h"

#include "server/auth/auth_errors.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

// Knows one token, over whatever it comes.
class One final : public Authenticator {
 public:
  absl::StatusOr<Principal> Authenticate(const Credentials& credentials) const override {
    if (credentials.bearer_token == "alices") return Principal{.name = "alice", .roles = {Role::kSubmitter}};
    return CredentialsInvalidError();
  }
};

std::string Who(const Authenticator& authenticator, const Credentials& credentials) {
  const auto principal = authenticator.Authenticate(credentials);
  return principal.ok() ? principal->name : ErrorReason(principal.status());
}

TEST(LocalWorker, BesideOthersInPlaintext) {
  const One others;
  const LocalWorkerAuthenticator all(others, "workers", /*alone_in_plaintext=*/false);
  EXPECT_EQ(Who(all, {.bearer_token = "workers"}), "local-worker");
  EXPECT_EQ(all.Authenticate({.bearer_token = "workers"})->roles, (Roles{Role::kWorker}));
  EXPECT_EQ(Who(all, {.bearer_token = "alices"}), "alice");
  EXPECT_EQ(Who(all, {.bearer_token = "x"}), "CREDENTIALS_INVALID");
}

TEST(LocalWorker, WithTlsThePlaintextPortIsForWorkersAlone) {
  const OpenAuthenticator others;  // would let anybody in
  const LocalWorkerAuthenticator all(others, "workers", /*alone_in_plaintext=*/true);
  EXPECT_EQ(Who(all, {.bearer_token = "workers"}), "local-worker");
  EXPECT_EQ(Who(all, {}), "CREDENTIALS_MISSING");
  EXPECT_EQ(Who(all, {.bearer_token = "alices"}), "CREDENTIALS_INVALID");
  EXPECT_EQ(Who(all, {.encrypted = true}), "anonymous");
}

TEST(LocalWorker, ItsTokenIsWorthNothingOverTls) {
  const One others;
  const LocalWorkerAuthenticator all(others, "workers", /*alone_in_plaintext=*/true);
  EXPECT_EQ(Who(all, {.bearer_token = "workers", .encrypted = true}), "CREDENTIALS_INVALID");
  EXPECT_EQ(Who(all, {.bearer_token = "alices", .encrypted = true}), "alice");
}

}  // namespace
}  // namespace bitwright::server
