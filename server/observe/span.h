#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "proto/contract/trace_context.h"

namespace bitwright::server {

// A piece of work with its beginning and end, as OpenTelemetry has it
// (opentelemetry.io/docs/specs/otel/trace/api/#span).
struct Span {
  enum class Kind { kInternal, kServer };  // kServer: answers a call from elsewhere
  using Value = std::variant<std::string, int64_t, bool, double>;

  TraceContext context;          // its own
  std::optional<SpanId> parent;  // nothing: its trace begins with it
  std::string trace_state;       // as it came with the parent; UTF-8
  std::string name;              // few different ones: what is particular stands in attributes
  Kind kind = Kind::kInternal;
  absl::Time start;
  absl::Time end;
  std::vector<std::pair<std::string, Value>> attributes;  // each key once; texts are UTF-8
  bool failed = false;
  std::string message;  // why, for a person
};

// Takes spans that have ended, one at a time and never twice. What schedules and answers knows this and no more of
// where they go.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Never waits and never fails: what cannot be kept is counted and dropped. Thread-safe.
  virtual void Take(Span span) = 0;
};

// The beginning of a trace of our own, sampled.
TraceContext NewTrace();
SpanId NewSpanId();
// The id of a span that is told apart by its name within the trace: the same whoever works it out, so that what ended
// before a restart of the server and what ends after it have one parent. The first 8 bytes of SHA-256 over both.
SpanId SpanIdOf(const TraceId& trace, std::string_view name);

}  // namespace bitwright::server
