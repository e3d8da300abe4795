#include "server/trace/otlp_answer.h"

#include <grpcpp/support/status.h>

#include <algorithm>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/base/wire_time.h"

namespace bitwright::server {
namespace {

std::optional<absl::Duration> RetryDelay(const grpc::Status& answer) {
  google::rpc::Status status;
  if (!status.ParseFromString(answer.error_details())) return std::nullopt;
  for (const auto& detail : status.details()) {
    google::rpc::RetryInfo info;
    if (detail.UnpackTo(&info)) return std::max(absl::ZeroDuration(), FromProto(info.retry_delay()));
  }
  return std::nullopt;
}

}  // namespace

std::optional<absl::Duration> PauseBeforeNext(const grpc::Status& answer) {
  switch (answer.error_code()) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return RetryDelay(answer).value_or(absl::ZeroDuration());
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return RetryDelay(answer);
    default:
      return std::nullopt;
  }
}

}  // namespace bitwright::server
