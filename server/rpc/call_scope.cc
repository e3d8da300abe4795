#include "server/rpc/call_scope.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <chrono>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/limits.h"
#include "proto/contract/trace_context.h"
#include "server/auth/auth_errors.h"
#include "server/auth/page_peer.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {
namespace {

constexpr char kRequestId[] = "x-request-id";
constexpr char kAuthorization[] = "authorization";
constexpr std::string_view kBearer = "Bearer ";

// Empty: not given.
std::string_view Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto given = metadata.find(key);
  return given == metadata.end() ? std::string_view() : std::string_view(given->second.data(), given->second.size());
}

// The caller's own id ties its log to this one's.
std::string RequestId(const grpc::CallbackServerContext& context) {
  const std::string_view given = Metadata(context, kRequestId);
  if (given.empty()) return RandomId();
  return std::string(CutUtf8(Printable(given), limits::kMaxRequestIdBytes));
}

// Several are none.
std::string TraceParent(const grpc::CallbackServerContext& context) {
  if (context.client_metadata().count(kTraceParentKey) != 1) return {};
  const std::optional<TraceContext> given = ParseTraceParent(Metadata(context, kTraceParentKey));
  return given ? TraceParentText(*given) : std::string();
}

// Whether the call came from within this process: every transport of a network says how it is protected.
bool IsInProcess(const grpc::CallbackServerContext& context) {
  const std::shared_ptr<const grpc::AuthContext> transport = context.auth_context();
  return transport != nullptr && transport->FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME).empty();
}

CallContext ContextOf(const grpc::CallbackServerContext& context) {
  CallContext call;
  call.peer = IsInProcess(context) ? Printable(Metadata(context, kPeerOfPage)) : context.peer();
  const std::chrono::system_clock::time_point deadline = context.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) call.deadline = absl::FromChrono(deadline);
  call.trace_parent = TraceParent(context);
  call.work_trace = call.trace_parent;
  call.request_id = RequestId(context);
  return call;
}

// Empty: there is none of that name, or several.
std::string Property(const grpc::AuthContext& transport, const char* name) {
  const std::vector<grpc::string_ref> values = transport.FindPropertyValues(name);
  return values.size() == 1 ? std::string(values[0].data(), values[0].size()) : std::string();
}

Credentials CredentialsOf(const grpc::CallbackServerContext& context) {
  Credentials credentials;
  const std::string_view authorization = Metadata(context, kAuthorization);
  if (authorization.starts_with(kBearer)) credentials.bearer_token = authorization.substr(kBearer.size());
  const std::shared_ptr<const grpc::AuthContext> transport = context.auth_context();
  if (transport == nullptr) return credentials;
  const std::string type = Property(*transport, GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
  // What never leaves the process is as good as encrypted, and none of the workers' port.
  credentials.encrypted =
      IsInProcess(context) || type == GRPC_TLS_TRANSPORT_SECURITY_TYPE || type == GRPC_SSL_TRANSPORT_SECURITY_TYPE;
  // Only then was the certificate verified.
  if (transport->IsPeerAuthenticated()) credentials.certificate_name = Property(*transport, GRPC_X509_CN_PROPERTY_NAME);
  return credentials;
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

CallScope::CallScope(const RpcEnvironment& environment, grpc::CallbackServerContext* context, const Method& method)
    : environment_(&environment),
      context_(context),
      method_(&method),
      call_(ContextOf(*context)),
      start_(environment.clock.Monotonic()) {
  if (environment.spans == nullptr) return;
  span_ = BeginCallSpan(call_, Metadata(*context, kTraceStateKey), environment.clock.Now());
  call_.work_trace = WorkTrace(call_, *span_);
}

absl::Status CallScope::Admit() {
  ABSL_ASSIGN_OR_RETURN(call_.principal, environment_->authenticator.Authenticate(CredentialsOf(*context_)));
  if (!call_.principal.roles.HasAnyOf(method_->roles)) return RoleMissingError(call_.principal.name, method_->name);
  return method_->changes ? environment_->audit.Ready() : absl::OkStatus();
}

absl::Status CallScope::Open() {
  kind_ = Kind::kRefusedStream;
  environment_->metrics.StreamOpened(method_->name);
  ABSL_RETURN_IF_ERROR(Admit());
  const absl::Status opened = environment_->lane.OpenStream();
  kind_ = opened.ok() ? Kind::kStream : Kind::kRefusedStream;
  return opened;
}

grpc::Status CallScope::Close(const absl::Status& status) const {
  const double seconds = absl::ToDoubleSeconds(environment_->clock.Monotonic() - start_);
  absl::Status answer = WithDetailError(status);
  if (method_->changes) answer = Audit(answer);
  Count(answer, seconds);
  Log(answer, seconds);
  Trace(answer, seconds);
  return ToGrpc(answer);
}

absl::Status CallScope::Audit(const absl::Status& status) const {
  const absl::Status written = environment_->audit.Write({.time = environment_->clock.Now(),
                                                          .call = call_,
                                                          .method = method_->name,
                                                          .resource = resource_.value_or(""),
                                                          .status = status,
                                                          .ran = resource_.has_value()});
  return written.ok() ? status : written;
}

void CallScope::Count(const absl::Status& status, double seconds) const {
  if (kind_ == Kind::kStream) environment_->lane.CloseStream();
  if (kind_ == Kind::kUnary) {
    environment_->metrics.RpcDone(method_->name, status.code(), seconds);
  } else {
    environment_->metrics.StreamDone(method_->name, status.code(), seconds);
  }
}

void CallScope::Log(const absl::Status& status, double seconds) const {
  const bool quiet = status.ok() || absl::IsCancelled(status);
  if (quiet && !LogEnabled(LogSeverity::kDebug)) return;
  const auto fields = [&](LogMessage& line) -> LogMessage& {
    return line.With("method", method_->name)
        .With("code", absl::StatusCodeToString(status.code()))
        .With("seconds", seconds)
        .With("request_id", call_.request_id)
        .With("principal", call_.principal.name)
        .With("peer", call_.peer);
  };
  if (quiet) {
    LOG(DEBUG).With(fields) << "call";
    return;
  }
  if (IsAscii(call_.request_id)) context_->AddTrailingMetadata(kRequestId, call_.request_id);
  if (IsOurs(status)) {
    LOG(ERROR).With(fields) << "call failed: " << status.ToString();
  } else {
    LOG(INFO).With(fields) << "call refused: " << std::string(status.message());
  }
}

void CallScope::Trace(const absl::Status& status, double seconds) const {
  if (!span_ || !span_->context.sampled) return;
  environment_->spans->Take(EndCallSpan(*span_, call_, method_->name, status, seconds));
}

grpc::ServerUnaryReactor* RunUnary(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                   const Method& method, std::function<absl::Status(CallScope&)> body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  CallScope scope(environment, context, method);
  absl::Status admitted = scope.Admit();
  if (!admitted.ok()) {
    reactor->Finish(scope.Close(admitted));
    return reactor;
  }
  admitted = environment.lane.Admit([scope, context, reactor, body = std::move(body)]() mutable {
    absl::Status status;
    if (context->deadline() < std::chrono::system_clock::now()) {
      status = DeadlinePassedError();
    } else if (context->IsCancelled()) {
      status = CallCancelledError();
    } else {
      status = body(scope);
    }
    reactor->Finish(scope.Close(status));
  });
  if (!admitted.ok()) reactor->Finish(scope.Close(admitted));
  return reactor;
}

}  // namespace bitwright::server
