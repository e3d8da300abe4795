#include "server/trace/trace_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright::server {
namespace {

constexpr absl::StatusCode kCode = absl::StatusCode::kInvalidArgument;

}  // namespace

absl::Status OtlpEndpointInvalidError(std::string_view endpoint) {
  const std::string text(endpoint);
  return MakeError(kCode, "OTLP_ENDPOINT_INVALID",
                   "'" + text +
                       "' is no address of an OpenTelemetry collector; give HOST:PORT, http://HOST:PORT, "
                       "https://HOST:PORT or unix:/path with the port where it takes OTLP over gRPC (usually 4317)",
                   {{"endpoint", text}});
}

absl::Status OtlpCertificateInvalidError(std::string_view path) {
  const std::string text(path);
  return MakeError(kCode, "OTLP_CERTIFICATE_INVALID",
                   "'" + text +
                       "' of OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read or holds no certificate; name a PEM "
                       "file of what signs the collector's certificate, or leave the variable unset",
                   {{"file", text}});
}

absl::Status OtlpPlaintextRefusedError(std::string_view endpoint) {
  const std::string text(endpoint);
  return MakeError(kCode, "OTLP_PLAINTEXT_REFUSED",
                   "spans would go to '" + text +
                       "' in clear, where others can read them; give https://HOST:PORT, or "
                       "run a collector on this machine (127.0.0.1 or unix:/path) that passes them on",
                   {{"endpoint", text}});
}

}  // namespace bitwright::server
