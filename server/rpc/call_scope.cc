#include "server/rpc/call_scope.h"

#include <chrono>

#include "proto/base/log.h"
#include "proto/contract/grpc_status.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {

CallScope::CallScope(const RpcEnvironment& environment, std::string_view method)
    : metrics_(environment.metrics), clock_(environment.clock), method_(method), start_(clock_.Monotonic()) {}

grpc::Status CallScope::Close(const absl::Status& status) const {
  metrics_.RpcDone(method_, status.code(), absl::ToDoubleSeconds(clock_.Monotonic() - start_));
  if (status.ok() || absl::IsCancelled(status)) return ToGrpc(WithDetailError(status));
  const bool ours = absl::IsInternal(status) || absl::IsUnknown(status) || absl::IsDataLoss(status);
  if (ours) {
    LOG(ERROR) << method_ << ": " << status.ToString();
  } else {
    LOG(INFO) << method_ << ": " << absl::StatusCodeToString(status.code()) << ": " << std::string(status.message());
  }
  return ToGrpc(WithDetailError(status));
}

grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   std::string_view method, std::function<absl::Status()> body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const CallScope scope(environment, method);
  environment.pool.Post([scope, context, reactor, body = std::move(body)] {
    absl::Status status;
    if (context->deadline() < std::chrono::system_clock::now()) {
      status = DeadlinePassedError();
    } else if (context->IsCancelled()) {
      status = CallCancelledError();
    } else {
      status = body();
    }
    reactor->Finish(scope.Close(status));
  });
  return reactor;
}

}  // namespace bitwright::server
