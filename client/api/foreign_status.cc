#include "client/api/foreign_status.h"

#include "client/api/client_errors.h"
#include "proto/base/errors.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::client {

absl::Status WithReason(std::string_view address, const absl::Status& status) {
  if (status.ok()) return status;
  const std::string reason = ErrorReason(status);
  return reason.empty() || status.message().empty() ? ForeignStatusError(address, status, reason) : status;
}

absl::Status WithReason(const google::rpc::Status& error) {
  const absl::Status status = FromProto(error);
  return status.ok() ? JobFailedError() : WithReason("", status);
}

}  // namespace bitwright::client
