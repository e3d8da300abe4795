#pragma once

#include <string>
#include <vector>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "server/observe/span.h"

namespace bitwright::server {

// Who makes the spans: attributes of the resource (opentelemetry.io/docs/specs/semconv/resource/#service).
struct TraceResource {
  std::string service_name = "bitwrightd";
  std::string service_version;
  std::string service_instance_id;  // another one for each process
};

// Spans as OTLP carries them. Texts that are not UTF-8 are made printable, and long ones are cut off: no span is worth
// a message that cannot be sent.
opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest ToOtlpRequest(const std::vector<Span>& spans,
                                                                                    const TraceResource& resource);

}  // namespace bitwright::server
