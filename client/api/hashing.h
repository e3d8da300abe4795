#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/base/cancel_token.h"
#include "proto/contract/digest.h"

namespace bitwright::client {

// Digests of whole files, in order of `paths`, on `threads` threads (largest file first). `on_bytes` is told of bytes
// hashed, from any of the threads, one call at a time. FILE_UNREADABLE, FILE_CHANGED, INTERRUPTED: the first in order.
absl::StatusOr<std::vector<BlobDigest>> HashFiles(std::span<const std::string> paths, int threads,
                                                  const CancelToken& cancel,
                                                  const std::function<void(int64_t bytes)>& on_bytes);

}  // namespace bitwright::client
