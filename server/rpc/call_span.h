#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/auth/call_context.h"
#include "server/observe/span.h"

namespace bitwright::server {

// The span of a call while it is under way, as OpenTelemetry's conventions for gRPC have it
// (opentelemetry.io/docs/specs/semconv/rpc/grpc): a child of its caller's, or the beginning of a trace.
struct CallSpan {
  TraceContext context;
  std::optional<SpanId> parent;
  std::string trace_state;
  absl::Time start;
};

// Of a call that came with call.trace_parent, and with this tracestate (empty: none). Where the caller does not sample
// its trace the span is not to be written, and only knows that.
CallSpan BeginCallSpan(const CallContext& call, std::string_view trace_state, absl::Time now);

// What a job remembers that the call makes: CallContext::work_trace.
std::string WorkTrace(const CallContext& call, const CallSpan& span);

// `method` is a name of methods.h.
Span EndCallSpan(const CallSpan& span, const CallContext& call, std::string_view method, const absl::Status& status,
                 double seconds);

}  // namespace bitwright::server
