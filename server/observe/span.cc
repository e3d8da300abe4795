#include "server/observe/span.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "proto/base/random_id.h"
#include "proto/contract/digest.h"

namespace bitwright::server {
namespace {

// From the front of a text of hexadecimal digits that has enough of them.
template <size_t N>
std::array<uint8_t, N> FromHex(const std::string& digits) {
  const std::string bytes = absl::HexStringToBytes(digits.substr(0, 2 * N));
  std::array<uint8_t, N> id;
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

// An id of zeros alone is none.
template <size_t N>
std::array<uint8_t, N> RandomBytes() {
  std::array<uint8_t, N> id{};
  while (id == std::array<uint8_t, N>{}) id = FromHex<N>(RandomId(2 * N));
  return id;
}

}  // namespace

TraceContext NewTrace() {
  return {.trace_id = RandomBytes<16>(), .span_id = NewSpanId(), .sampled = true, .random = true};
}

SpanId NewSpanId() { return RandomBytes<8>(); }

SpanId SpanIdOf(const TraceId& trace, std::string_view name) {
  std::string text(trace.begin(), trace.end());
  text += name;
  SpanId id = FromHex<8>(Sha256Hex(text));
  if (id == SpanId{}) id.back() = 1;
  return id;
}

}  // namespace bitwright::server
