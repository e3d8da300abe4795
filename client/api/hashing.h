#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/blobs.pb.h"
#include "client/api/model_dir.h"
#include "client/api/transfer_progress.h"
#include "proto/base/cancel_token.h"
#include "proto/contract/digest.h"

namespace bitwright::client {

// Digests of whole files, in order of `paths`, on `threads` threads (largest file first). `on_bytes` is told of bytes
// hashed, from any of the threads, one call at a time. FILE_UNREADABLE, FILE_CHANGED, INTERRUPTED: the first in order.
absl::StatusOr<std::vector<BlobDigest>> HashFiles(std::span<const std::string> paths, int threads,
                                                  const CancelToken& cancel,
                                                  const std::function<void(int64_t bytes)>& on_bytes);

// The same with progress, on as many threads as serve a disk.
absl::StatusOr<std::vector<BlobDigest>> HashAll(std::span<const std::string> paths, const CancelToken& cancel,
                                                const OnTransfer& on_transfer);
// The manifest of a model's files, in their order.
absl::StatusOr<v1::Manifest> HashModel(const ModelDir& model, const CancelToken& cancel, const OnTransfer& on_transfer);

}  // namespace bitwright::client
