#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "proto/contract/digest.h"
#include "proto/transfer/local_file.h"
#include "proto/transfer/transfer_context.h"

namespace bitwright {

struct UploadOptions {
  // Names the upload: a later call with the same id, even of another process, continues one that was broken off. When
  // the server refuses what is there under the id, the call begins anew under a random one. Empty: random at once.
  std::string id;
  // Told how many bytes of the blob the server holds or was sent.
  std::function<void(int64_t bytes)> on_committed;
};

// Uploads a file as the blob `digest`; a broken stream goes on where the server says that it was. OK when the server
// holds the whole blob, though another client may have brought it. Errors of the file are its own and final;
// INVALID_ARGUMENT, reason BLOB_DIGEST_MISMATCH: the bytes are other ones; TRANSFER_STALLED; CANCELLED, reason
// INTERRUPTED; else the server's.
absl::Status UploadBlob(const TransferContext& context, const LocalFile& file, const BlobDigest& digest,
                        const UploadOptions& options = {});

}  // namespace bitwright
