#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "proto/base/cancel_token.h"
#include "proto/contract/digest.h"

namespace bitwright::worker {

// Where a task's inputs are on this machine. Not thread-safe.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // Absolute path of a blob, which stays there until ReleaseAll.
  virtual absl::StatusOr<std::string> Path(const BlobDigest& digest, const CancelToken& cancel) = 0;
  // The same of a part of a blob: the blob itself where that is at hand, or else a file of the part alone.
  struct PartFile {
    std::string path;
    bool whole = false;
  };
  virtual absl::StatusOr<PartFile> PathOfPart(const BlobPart& part, const CancelToken& cancel) = 0;
  virtual void ReleaseAll() = 0;
};

}  // namespace bitwright::worker
