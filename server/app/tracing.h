#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/base/clock.h"
#include "server/observe/metrics.h"
#include "server/observe/span.h"

namespace bitwright::server {

// Where spans go, as the command line and the environment say.
struct TracingOptions {
  std::string endpoint;                     // of ParseOtlpEndpoint; empty: none are written
  bool endpoint_of_environment = false;     // not of the command line
  std::string ca_file;                      // PEM file of what signs the collector's certificate; empty: the machine's
  std::string service_name = "bitwrightd";  // attribute service.name
};

// What OpenTelemetry's variables say (opentelemetry.io/docs/specs/otel/protocol/exporter and
// …/configuration/sdk-environment-variables): those of traces before those of all signals; empty ones are not set.
TracingOptions TracingOfEnvironment();

// Starts what sends spans; null: none are to be. The environment is shared with other programs, so that an endpoint
// there which cannot be used is said in the log and no more; one of the command line is an error:
// OTLP_ENDPOINT_INVALID, OTLP_PLAINTEXT_REFUSED, OTLP_CERTIFICATE_INVALID.
absl::StatusOr<std::unique_ptr<SpanSink>> StartTracing(const TracingOptions& options, const std::string& version,
                                                       const Clock& clock, Metrics& metrics);

}  // namespace bitwright::server
