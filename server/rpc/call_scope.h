#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proto/base/clock.h"
#include "proto/base/status_macros.h"
#include "server/auth/call_context.h"
#include "server/observe/metrics.h"
#include "server/rpc/call_span.h"
#include "server/rpc/lane.h"
#include "server/rpc/methods.h"
#include "server/rpc/resource_name.h"
#include "server/rpc/wire.h"

namespace bitwright::server {

// One call from arrival to answer: its metrics, its line in the log, its span and the form of its status, in one place.
class CallScope {
 public:
  // `method` is a constant. The context and the environment live until the call is finished.
  CallScope(const RpcEnvironment& environment, grpc::CallbackServerContext* context, const Method& method);

  // Finds out who calls and whether that one may, before anything else. UNAUTHENTICATED: reasons of Authenticator;
  // PERMISSION_DENIED, reason ROLE_MISSING; UNAVAILABLE, reason AUDIT_UNWRITABLE, of methods that change something.
  // They, too, are given to Close.
  absl::Status Admit();
  // Valid after an Admit that was OK.
  const CallContext& call() const { return call_; }

  // The same for a call that lasts as long as its caller likes (a stream, a wait for work): counts it among the open
  // ones, and its time apart. Errors of Admit, then of Lane::OpenStream.
  absl::Status Open();

  // The request was read, and is about this resource (empty: none, or it is not made yet); for the audit log. May be
  // called again, with the name of what was made.
  void Concerns(std::string resource) { resource_ = std::move(resource); }

  // Call once, when the answer is known, before the call is finished. Writes the audit log for methods that change
  // something: an entry that cannot be written makes the answer AUDIT_UNWRITABLE. Adds an ErrorInfo to errors that have
  // none, and the id of the request (metadata x-request-id; made up when the caller gave none) to an error's trailing
  // metadata.
  grpc::Status Close(const absl::Status& status) const;

  std::string_view method() const { return method_->name; }

 private:
  absl::Status Audit(const absl::Status& status) const;
  void Count(const absl::Status& status, double seconds) const;
  void Log(const absl::Status& status, double seconds) const;
  void Trace(const absl::Status& status, double seconds) const;

  const RpcEnvironment* environment_;
  grpc::CallbackServerContext* context_;
  const Method* method_;
  CallContext call_;
  std::optional<CallSpan> span_;  // where the server writes spans
  std::optional<std::string> resource_;
  MonotonicTime start_;
  enum class Kind { kUnary, kStream, kRefusedStream } kind_ = Kind::kUnary;
};

// Runs the body of a unary call on the lane and finishes the call with its status. Request and response live until
// then. A call whose deadline has passed or whose caller has gone is not run. RESOURCE_EXHAUSTED, reason LANE_FULL.
grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   const Method& method, std::function<absl::Status(CallScope&)> body);

// The same between messages, for a service whose methods take bytes (wire.h): a request that does not parse is answered
// with what is wrong with it.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   const Method& method, const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
                                   std::function<absl::Status(const CallContext&, const Request&, Response&)> body) {
  return RunUnary(environment, context, method,
                  [request, response, body = std::move(body)](CallScope& scope) -> absl::Status {
                    Request message;
                    ABSL_RETURN_IF_ERROR(ParseWire(*request, message));
                    scope.Concerns(ResourceName(message));
                    Response answer;
                    ABSL_RETURN_IF_ERROR(body(scope.call(), message, answer));
                    if (std::string made = ResourceName(answer); !made.empty()) scope.Concerns(std::move(made));
                    SerializeWire(answer, *response);
                    return absl::OkStatus();
                  });
}

// Writes the value of a result into a response.
template <typename T, typename Result>
absl::Status Fill(T& response, Result&& result) {
  if (!result.ok()) return std::forward<Result>(result).status();
  response = *std::forward<Result>(result);
  return absl::OkStatus();
}

}  // namespace bitwright::server
