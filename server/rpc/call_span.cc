#include "server/rpc/call_span.h"

#include <google/protobuf/descriptor.h>

#include <map>

#include "proto/base/errors.h"
#include "server/rpc/rpc_server.h"

namespace bitwright::server {
namespace {

// "GetJob" → "bitwright.v1.JobService": no two services have a method of one name.
std::map<std::string, std::string, std::less<>> ServicesByMethod() {
  std::map<std::string, std::string, std::less<>> services;
  const google::protobuf::DescriptorPool& pool = *google::protobuf::DescriptorPool::generated_pool();
  for (const char* name : ServiceNames()) {
    const google::protobuf::ServiceDescriptor* service = pool.FindServiceByName(name);
    for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
      services.emplace(service->method(i)->name(), name);
    }
  }
  return services;
}

std::string ServiceOf(std::string_view method) {
  static const auto& services = *new std::map<std::string, std::string, std::less<>>(ServicesByMethod());
  const auto found = services.find(method);
  return found == services.end() ? std::string() : found->second;
}

// Which answers a server's span counts as failed: what is wrong with the call itself is the caller's.
bool IsServersError(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

CallSpan BeginCallSpan(const CallContext& call, std::string_view trace_state, absl::Time now) {
  const std::optional<TraceContext> caller = ParseTraceParent(call.trace_parent);
  if (!caller) return {.context = NewTrace(), .parent = std::nullopt, .trace_state = {}, .start = now};
  CallSpan span{.context = *caller, .parent = caller->span_id, .trace_state = {}, .start = now};
  span.context.span_id = NewSpanId();
  if (IsTraceState(trace_state)) span.trace_state = trace_state;
  return span;
}

std::string WorkTrace(const CallContext& call, const CallSpan& span) {
  return call.trace_parent.empty() ? TraceParentText(span.context) : call.trace_parent;
}

Span EndCallSpan(const CallSpan& span, const CallContext& call, std::string_view method, const absl::Status& status,
                 double seconds) {
  const std::string service = ServiceOf(method);
  Span ended{.context = span.context,
             .parent = span.parent,
             .trace_state = span.trace_state,
             .name = service + "/" + std::string(method),
             .kind = Span::Kind::kServer,
             .start = span.start,
             .end = span.start + absl::Seconds(seconds),
             .attributes = {{"rpc.system", "grpc"},
                            {"rpc.service", service},
                            {"rpc.method", std::string(method)},
                            {"rpc.grpc.status_code", int64_t{static_cast<int>(status.code())}},
                            {"bitwright.request_id", call.request_id}},
             .failed = IsServersError(status.code()),
             .message = {}};
  if (!status.ok()) ended.attributes.emplace_back("error.type", ErrorReason(status));
  if (ended.failed) ended.message = std::string(status.message());
  return ended;
}

}  // namespace bitwright::server
