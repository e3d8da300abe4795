#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "proto/base/clock.h"
#include "proto/base/status_macros.h"
#include "server/observe/metrics.h"
#include "server/rpc/wire.h"
#include "server/rpc/work_pool.h"

namespace bitwright::server {

// What every handler is given besides its own part of the server.
struct RpcEnvironment {
  Metrics& metrics;
  WorkPool& pool;
  const Clock& clock;
};

// One call from arrival to answer: its time, its metric, its line in the log and the form of its status, in one place.
class CallScope {
 public:
  CallScope(const RpcEnvironment& environment, std::string_view method);  // `method` is a literal

  // Call once, when the answer is known. Adds an ErrorInfo to errors that have none.
  grpc::Status Close(const absl::Status& status) const;

  std::string_view method() const { return method_; }

 private:
  Metrics& metrics_;
  const Clock& clock_;
  std::string_view method_;
  MonotonicTime start_;
};

// Runs the body of a unary call on the pool and finishes the call with its status. Request and response live until
// then. A call whose deadline has passed or whose caller has gone is not run.
grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   std::string_view method, std::function<absl::Status()> body);

// The same between messages, for a service whose methods take bytes (wire.h): a request that does not parse is answered
// with what is wrong with it.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   std::string_view method, const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
                                   std::function<absl::Status(const Request&, Response&)> body) {
  return RunUnary(environment, context, method, [request, response, body = std::move(body)]() -> absl::Status {
    Request message;
    ABSL_RETURN_IF_ERROR(ParseWire(*request, message));
    Response answer;
    ABSL_RETURN_IF_ERROR(body(message, answer));
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
