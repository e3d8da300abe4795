#pragma once

#include <grpcpp/client_context.h>

#include <chrono>

#include "absl/status/statusor.h"
#include "client/api/retry_policy.h"
#include "proto/base/cancel_token.h"
#include "proto/base/status_macros.h"
#include "proto/contract/grpc_status.h"

// Used by the .cc files of the gRPC connection only.
namespace bitwright::client {

// One attempt of a call: its context with deadline, ended by the token.
class Attempt {
 public:
  Attempt(const CancelToken& cancel, std::chrono::milliseconds time)
      : on_cancel_(cancel, [this] { context_.TryCancel(); }) {
    context_.set_deadline(std::chrono::system_clock::now() + time);
  }
  grpc::ClientContext* context() { return &context_; }

 private:
  grpc::ClientContext context_;
  CancelToken::Registration on_cancel_;  // goes first: no TryCancel on a context that is gone
};

inline constexpr std::chrono::milliseconds kUnaryTime{60000};
// A stream that a lost peer silently ended is noticed after this; the call then goes on where it was.
inline constexpr std::chrono::milliseconds kStreamTime{600000};

// A status as it came, or INTERRUPTED when it came from our own token.
inline absl::Status FromAttempt(const grpc::Status& status, const CancelToken& cancel) {
  if (!status.ok()) ABSL_RETURN_IF_ERROR(cancel.Check());
  return FromGrpc(status);
}

// Calls `call(context, &response)` until it is OK or not worth another attempt.
template <typename Response, typename Call>
absl::StatusOr<Response> RetryUnary(RetryLoop retry, const CancelToken& cancel, const Call& call) {
  while (true) {
    Attempt attempt(cancel, kUnaryTime);
    Response response;
    const absl::Status status = FromAttempt(call(attempt.context(), &response), cancel);
    if (status.ok()) return response;
    ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
  }
}

}  // namespace bitwright::client
