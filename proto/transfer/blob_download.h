#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "proto/base/files.h"
#include "proto/contract/digest.h"
#include "proto/transfer/transfer_context.h"

namespace bitwright {

struct DownloadOptions {
  FileErrorFunction* unwritable;
  // Other bytes than the blob's came from the start to the end.
  absl::Status (*corrupt)(const std::string& part_path, const BlobDigest& digest);
  bool durable = false;  // on the disk before the file appears
  // Told of bytes that are there now and were not before; negative when bytes were dropped.
  std::function<void(int64_t bytes)> on_bytes;
};

// Writes a blob to `path`, which appears whole (rename) and with the right digest. The bytes gather in "{path}.part":
// a broken stream, or a call of another process, goes on with what is there. A part that turns out to hold other bytes
// is downloaded again from the start, once; other bytes again: `corrupt`, and nothing is left.
// NOT_FOUND: the server has no such blob; TRANSFER_STALLED; CANCELLED, reason INTERRUPTED; else the server's errors.
absl::Status DownloadBlob(const TransferContext& context, const BlobDigest& digest, const std::string& path,
                          const DownloadOptions& options);

// The same with a part of a blob; errors name the digest of the part.
absl::Status DownloadPart(const TransferContext& context, const BlobPart& part, const std::string& path,
                          const DownloadOptions& options);

}  // namespace bitwright
