#include "server/rpc/upload_session.h"

#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "server/rpc/blob_user.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {

absl::StatusOr<std::optional<int64_t>> UploadSession::Begin(const CallContext& call, const WriteMessage& message) {
  user_ = BlobUserOf(call);
  resource_name_ = message.resource_name;
  ABSL_ASSIGN_OR_RETURN(name_, ParseUploadName(resource_name_));
  publications_seen_ = parts_.held.publications();
  ABSL_ASSIGN_OR_RETURN(const auto missing, parts_.held.FindMissing(user_, {name_.digest}, parts_.clock.Now()));
  if (missing.empty()) return std::optional(name_.digest.size_bytes);
  ABSL_RETURN_IF_ERROR(parts_.disk.CheckUpload());
  ABSL_RETURN_IF_ERROR(parts_.held.CheckQuota(user_, name_.digest.size_bytes));
  ABSL_ASSIGN_OR_RETURN(upload_, parts_.blobs.StartUpload(name_, user_.tenant));
  upload_->HashOn(parts_.spawn);
  return std::nullopt;
}

absl::StatusOr<bool> UploadSession::HeldByNow() {
  const int64_t publications = parts_.held.publications();
  if (publications == publications_seen_) return false;
  publications_seen_ = publications;
  return parts_.held.Has(user_, name_.digest);
}

absl::Status UploadSession::CheckMessage(const WriteMessage& message) {
  if (!message.resource_name.empty() && message.resource_name != resource_name_) {
    return UploadNameChangedError(message.resource_name);
  }
  if (message.write_offset != upload_->committed()) {
    return UploadOffsetWrongError(message.write_offset, upload_->committed());
  }
  return parts_.disk.CheckUpload();
}

absl::StatusOr<UploadSession::Step> UploadSession::Take(const CallContext& call, WriteMessage& message) {
  if (upload_ == nullptr) {
    ABSL_ASSIGN_OR_RETURN(const std::optional<int64_t> early, Begin(call, message));
    if (early) return Step{.committed = early};
  }
  ABSL_ASSIGN_OR_RETURN(const bool held, HeldByNow());
  if (held) {
    upload_->Discard();
    return Step{.committed = name_.digest.size_bytes};
  }
  ABSL_RETURN_IF_ERROR(CheckMessage(message));
  ABSL_ASSIGN_OR_RETURN(const bool hashed, upload_->HashMore(kHashPiece));
  if (!hashed) return Step{.again = true};
  Failpoint("upload.message");
  ABSL_RETURN_IF_ERROR(upload_->Append(std::move(message.data)));
  if (!message.finish_write) return Step{};
  ABSL_RETURN_IF_ERROR(parts_.held.Publish(user_, *upload_, name_.digest, parts_.clock.Now()));
  return Step{.committed = name_.digest.size_bytes};
}

int64_t UploadSession::Suspend() {
  const int64_t committed = upload_ == nullptr ? 0 : upload_->committed();
  upload_.reset();
  return committed;
}

}  // namespace bitwright::server
