#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/blobs/blobs.h"
#include "server/blobs/disk_files.h"
#include "server/blobs/upload_table.h"

namespace bitwright::server {

// Blobs as files {root}/blobs/{first two digits}/{sha256}, uploads as {root}/uploads/{uuid}.{sha256}.{size}, with a
// hash of their tenant behind it, both on one file system. A file in blobs/ is always whole: it gets there by rename
// after fsync, and the folders on its way are flushed, too. UNAVAILABLE or RESOURCE_EXHAUSTED when the folders cannot
// be made.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenDiskBlobs(const std::string& root, DiskFault fault = nullptr,
                                                         UploadLimits limits = {});

// Where a blob lies below the folder blobs/: "ab/ab12…".
std::string BlobPath(const std::string& sha256);

}  // namespace bitwright::server
