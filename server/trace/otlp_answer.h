#pragma once

#include <optional>

#include "absl/time/time.h"

namespace grpc {
class Status;
}

namespace bitwright::server {

// After what pause at least the same spans may be sent again to a collector that answered so; nothing: they must not
// be. The codes are those of the table of opentelemetry.io/docs/specs/otlp/#failures; a collector that is overloaded
// says how long it wants to be left alone in a google.rpc.RetryInfo, without which RESOURCE_EXHAUSTED is final
// (…/#otlpgrpc-throttling).
std::optional<absl::Duration> PauseBeforeNext(const grpc::Status& answer);

}  // namespace bitwright::server
