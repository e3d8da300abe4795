#include "server/rpc/upload_session.h"

#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {

absl::StatusOr<std::optional<int64_t>> UploadSession::Begin(const google::bytestream::WriteRequest& message) {
  resource_name_ = message.resource_name();
  ABSL_ASSIGN_OR_RETURN(name_, ParseUploadName(resource_name_));
  publications_seen_ = held_.publications();
  ABSL_ASSIGN_OR_RETURN(const auto missing, held_.FindMissing({name_.digest}, clock_.Now()));
  if (missing.empty()) return std::optional(name_.digest.size_bytes);
  ABSL_ASSIGN_OR_RETURN(upload_, blobs_.StartUpload(name_));
  return std::nullopt;
}

absl::StatusOr<bool> UploadSession::HeldByNow() {
  const int64_t publications = held_.publications();
  if (publications == publications_seen_) return false;
  publications_seen_ = publications;
  return held_.Has(name_.digest);
}

absl::StatusOr<std::optional<int64_t>> UploadSession::Take(const google::bytestream::WriteRequest& message) {
  if (upload_ == nullptr) {
    ABSL_ASSIGN_OR_RETURN(const std::optional<int64_t> early, Begin(message));
    if (early) return early;
  } else if (!message.resource_name().empty() && message.resource_name() != resource_name_) {
    return UploadNameChangedError(message.resource_name());
  }
  ABSL_ASSIGN_OR_RETURN(const bool held, HeldByNow());
  if (held) {
    upload_->Discard();
    return std::optional(name_.digest.size_bytes);
  }
  if (message.write_offset() != upload_->committed()) {
    return UploadOffsetWrongError(message.write_offset(), upload_->committed());
  }
  Failpoint("upload.message");
  ABSL_RETURN_IF_ERROR(upload_->Append(message.data()));
  if (!message.finish_write()) return std::nullopt;
  ABSL_RETURN_IF_ERROR(held_.Publish(*upload_, name_.digest, clock_.Now()));
  return std::optional(name_.digest.size_bytes);
}

int64_t UploadSession::Suspend() {
  const int64_t committed = upload_ == nullptr ? 0 : upload_->committed();
  upload_.reset();
  return committed;
}

}  // namespace bitwright::server
