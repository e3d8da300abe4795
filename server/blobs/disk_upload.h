#pragma once

#include <cstdint>
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

// Opens the partial file. `on_close` runs once when the upload goes, with the bytes that it leaves in the partial file.
absl::StatusOr<std::unique_ptr<BlobUpload>> OpenDiskUpload(const DiskFiles& files, const BlobDigest& digest,
                                                           DiskUploadPaths paths,
                                                           std::function<void(int64_t left)> on_close);

}  // namespace bitwright::server
