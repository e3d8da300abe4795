#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/blobs/blobs.h"
#include "server/blobs/disk_files.h"

namespace bitwright::server {

struct DiskUploadPaths {
  std::string partial;  // the file being written
  std::string folder;   // of the blob
  std::string blob;
};

// Opens the partial file and hashes what it holds. `on_close` runs once when the upload goes.
absl::StatusOr<std::unique_ptr<BlobUpload>> OpenDiskUpload(const DiskFiles& files, const BlobDigest& digest,
                                                           DiskUploadPaths paths, std::function<void()> on_close);

}  // namespace bitwright::server
