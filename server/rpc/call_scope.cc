#include "server/rpc/call_scope.h"

#include <chrono>

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/utf8.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/limits.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {
namespace {

constexpr char kRequestId[] = "x-request-id";

// The caller's own id ties its log to this one's.
std::string RequestId(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto given = metadata.find(kRequestId);
  if (given == metadata.end()) return RandomId();
  const std::string printable = Printable({given->second.data(), given->second.size()});
  return std::string(CutUtf8(printable, limits::kMaxRequestIdBytes));
}

bool IsOurs(const absl::Status& status) {
  return absl::IsInternal(status) || absl::IsUnknown(status) || absl::IsDataLoss(status);
}

// Metadata travels as ASCII.
bool IsAscii(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

}  // namespace

CallScope::CallScope(const RpcEnvironment& environment, grpc::CallbackServerContext* context, std::string_view method)
    : environment_(&environment), context_(context), method_(method), start_(environment.clock.Monotonic()) {}

absl::Status CallScope::Open() {
  const absl::Status opened = environment_->lane.OpenStream();
  kind_ = opened.ok() ? Kind::kStream : Kind::kRefusedStream;
  environment_->metrics.StreamOpened(method_);
  return opened;
}

grpc::Status CallScope::Close(const absl::Status& status) const {
  const double seconds = absl::ToDoubleSeconds(environment_->clock.Monotonic() - start_);
  Count(status, seconds);
  const absl::Status answer = WithDetailError(status);
  Log(answer, seconds);
  return ToGrpc(answer);
}

void CallScope::Count(const absl::Status& status, double seconds) const {
  if (kind_ == Kind::kStream) environment_->lane.CloseStream();
  if (kind_ == Kind::kUnary) {
    environment_->metrics.RpcDone(method_, status.code(), seconds);
  } else {
    environment_->metrics.StreamDone(method_, status.code(), seconds);
  }
}

void CallScope::Log(const absl::Status& status, double seconds) const {
  const bool quiet = status.ok() || absl::IsCancelled(status);
  if (quiet && !LogEnabled(LogSeverity::kDebug)) return;  // most calls: not even an id is made
  const std::string id = RequestId(*context_);
  const auto fields = [&](LogMessage& line) -> LogMessage& {
    return line.With("method", method_)
        .With("code", absl::StatusCodeToString(status.code()))
        .With("seconds", seconds)
        .With("request_id", id)
        .With("peer", context_->peer());
  };
  if (quiet) {
    LOG(DEBUG).With(fields) << "call";
    return;
  }
  if (IsAscii(id)) context_->AddTrailingMetadata(kRequestId, id);
  if (IsOurs(status)) {
    LOG(ERROR).With(fields) << "call failed: " << status.ToString();
  } else {
    LOG(INFO).With(fields) << "call refused: " << std::string(status.message());
  }
}

grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   std::string_view method, std::function<absl::Status()> body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const CallScope scope(environment, context, method);
  const absl::Status admitted = environment.lane.Admit([scope, context, reactor, body = std::move(body)] {
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
  if (!admitted.ok()) reactor->Finish(scope.Close(admitted));
  return reactor;
}

}  // namespace bitwright::server
