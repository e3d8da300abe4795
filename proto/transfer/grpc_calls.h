#pragma once

#include <grpcpp/client_context.h>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/base/cancel_token.h"
#include "proto/base/status_macros.h"
#include "proto/contract/grpc_status.h"
#include "proto/transfer/retry_policy.h"

// How every call to the service is made. For sources only: it needs the headers of gRPC.
namespace bitwright {

inline constexpr absl::Duration kUnaryLimit = absl::Minutes(1);

// One attempt of a call: its context with a deadline, ended by the token.
class Attempt {
 public:
  Attempt(const CancelToken& cancel, absl::Duration limit) : on_cancel_(cancel, [this] { context_.TryCancel(); }) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + limit));
  }
  grpc::ClientContext* context() { return &context_; }

 private:
  grpc::ClientContext context_;
  CancelToken::Registration on_cancel_;  // goes first: no TryCancel on a context that is gone
};

// A status as it came, or INTERRUPTED when it came from our own token.
inline absl::Status FromAttempt(const grpc::Status& status, const CancelToken& cancel) {
  if (!status.ok()) ABSL_RETURN_IF_ERROR(cancel.Check());
  return FromGrpc(status);
}

// Calls `call(context, &response)` until it is OK or not worth another attempt.
template <typename Response, typename Call>
absl::StatusOr<Response> RetryUnary(RetryLoop retry, const CancelToken& cancel, const Call& call) {
  while (true) {
    Attempt attempt(cancel, kUnaryLimit);
    Response response;
    const absl::Status status = FromAttempt(call(attempt.context(), &response), cancel);
    if (status.ok()) return response;
    ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
  }
}

}  // namespace bitwright
