#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bitwright {

// Metadata of calls, and in capitals the variables of the environment that stand for them
// (opentelemetry.io/docs/specs/otel/context/env-carriers).
inline constexpr char kTraceParentKey[] = "traceparent";
inline constexpr char kTraceStateKey[] = "tracestate";

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

// In which trace something happens, and within which span of it, as W3C Trace Context carries it from one program to
// the next (www.w3.org/TR/trace-context). No id is all zero.
struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};
  bool sampled = false;  // false: spans within it are not to be written
  bool random = false;   // its trace id has at least 56 random bits (Level 2 of the specification)

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// "00-{32 digits}-{16 digits}-{2 digits}" in lower-case hexadecimal. Of a later version, which may have more behind a
// further '-', what this one has. Nothing: it is malformed, and is to be taken as not given (§3.2 there).
std::optional<TraceContext> ParseTraceParent(std::string_view text);
std::string TraceParentText(const TraceContext& context);
uint8_t TraceFlags(const TraceContext& context);  // the last byte of that

// Whether a text is a list as tracestate has it (§3.3 there): at most 32 members "key=value", 512 bytes in all.
bool IsTraceState(std::string_view text);

}  // namespace bitwright
