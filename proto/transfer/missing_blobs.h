#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "proto/transfer/transfer_context.h"

namespace bitwright {

struct FileToUpload {
  BlobDigest digest;
  std::string path;
};

// Those of the files that the server lacks, in their order; of equal files the first. Asks in as many calls as the
// contract's limit takes. RESPONSE_INVALID; CANCELLED, reason INTERRUPTED; else the server's errors.
absl::StatusOr<std::vector<FileToUpload>> FindMissingFiles(const TransferContext& context,
                                                           std::span<const FileToUpload> files);

}  // namespace bitwright
