#include "proto/transfer/transfer_errors.h"

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright {

using absl::StatusCode;

absl::Status StreamEndedError() {
  return MakeError(StatusCode::kUnavailable, Reason::kStreamEnded, "the stream ended early");
}

absl::Status UploadCutError(int64_t committed_bytes, int64_t size_bytes) {
  return MakeError(StatusCode::kUnavailable, Reason::kStreamEnded,
                   absl::StrCat("the server took ", committed_bytes, " of ", size_bytes, " bytes"));
}

absl::Status TransferStalledError(const BlobDigest& blob, const absl::Status& last) {
  return MakeError(StatusCode::kUnavailable, "TRANSFER_STALLED",
                   absl::StrCat("transfer of blob ", blob.ToString(),
                                " made no progress in several attempts; the last one: ", std::string(last.message())),
                   {{"blob", blob.ToString()}});
}

absl::Status UnofferedBlobError(std::string_view sha256) {
  return MakeError(StatusCode::kInternal, "RESPONSE_INVALID", "the server misses a blob that it was not asked about",
                   {{"sha256", std::string(sha256)}});
}

}  // namespace bitwright
