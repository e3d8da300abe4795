#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace bitwright::server {

// Where a collector takes OTLP over gRPC.
struct OtlpEndpoint {
  std::string address;  // "HOST:PORT" or "unix:/path"
  bool tls = false;
};

// "HOST:PORT" and "http://HOST:PORT" in plaintext, which is for this machine alone, "https://HOST:PORT" with TLS, or
// "unix:/path". A path that is no more than "/" may follow a port
// (opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlpgrpc: "http" and "https" decide on TLS).
// OTLP_ENDPOINT_INVALID, OTLP_PLAINTEXT_REFUSED.
absl::StatusOr<OtlpEndpoint> ParseOtlpEndpoint(const std::string& text);

}  // namespace bitwright::server
