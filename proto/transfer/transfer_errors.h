#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"

// Errors that every transfer may end with. Those about local files differ between client and worker, which pass them as
// functions.
namespace bitwright {

// UNAVAILABLE, reason STREAM_ENDED: a stream ended well, or by its deadline, but before its end. Only a caller that has
// given up sees it.
absl::Status StreamEndedError();
// The same reason: the server ended an upload before it had all bytes.
absl::Status UploadCutError(int64_t committed_bytes, int64_t size_bytes);
// UNAVAILABLE, reason TRANSFER_STALLED: as many attempts as the policy allows made no progress.
absl::Status TransferStalledError(const BlobDigest& blob, const absl::Status& last);
// INTERNAL, reason RESPONSE_INVALID: the server asks for a blob that was not offered.
absl::Status UnofferedBlobError(std::string_view sha256);

}  // namespace bitwright
