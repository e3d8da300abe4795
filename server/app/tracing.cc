#include "server/app/tracing.h"

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "server/trace/trace_exporter.h"

namespace bitwright::server {
namespace {

// The first of them that is set.
std::string FirstOf(std::initializer_list<const char*> values) {
  for (const char* value : values) {
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

// A random UUID (RFC 9562, section 5.4), which the conventions for service.instance.id ask for.
std::string NewInstanceId() {
  std::string id = RandomId(32);
  constexpr char kVariants[] = "89ab";
  id[12] = '4';
  id[16] = kVariants[static_cast<unsigned char>(id[16]) % 4];
  for (const size_t dash : {20, 16, 12, 8}) id.insert(dash, "-");
  return id;
}

absl::StatusOr<std::unique_ptr<TraceExporter>> Start(const TracingOptions& options, const std::string& version,
                                                     const Clock& clock, Metrics& metrics) {
  TraceExporterOptions exporter;
  ABSL_ASSIGN_OR_RETURN(exporter.endpoint, ParseOtlpEndpoint(options.endpoint));
  exporter.ca_file = options.ca_file;
  exporter.resource = {
      .service_name = options.service_name, .service_version = version, .service_instance_id = NewInstanceId()};
  return TraceExporter::Start(std::move(exporter), clock, metrics);
}

}  // namespace

TracingOptions TracingOfEnvironment() {
  TracingOptions options;
  options.endpoint =
      FirstOf({std::getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), std::getenv("OTEL_EXPORTER_OTLP_ENDPOINT")});
  options.endpoint_of_environment = true;
  options.ca_file =
      FirstOf({std::getenv("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"), std::getenv("OTEL_EXPORTER_OTLP_CERTIFICATE")});
  if (std::string name = FirstOf({std::getenv("OTEL_SERVICE_NAME")}); !name.empty()) {
    options.service_name = std::move(name);
  }
  return options;
}

absl::StatusOr<std::unique_ptr<SpanSink>> StartTracing(const TracingOptions& options, const std::string& version,
                                                       const Clock& clock, Metrics& metrics) {
  if (options.endpoint.empty()) return nullptr;
  absl::StatusOr<std::unique_ptr<TraceExporter>> started = Start(options, version, clock, metrics);
  if (!started.ok() && options.endpoint_of_environment) {
    LOG(WARNING) << "no traces are written: the environment (OTEL_EXPORTER_OTLP_ENDPOINT) is of no use here: "
                 << std::string(started.status().message());
    return nullptr;
  }
  ABSL_RETURN_IF_ERROR(started.status());
  LOG(INFO) << "traces go to " << options.endpoint;
  return *std::move(started);
}

}  // namespace bitwright::server
