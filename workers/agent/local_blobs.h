#pragma once

#include <string>

#include "workers/agent/input_source.h"

namespace bitwright::worker {

// The server's own blob folder: "{dir}/{first two digits}/{sha256}". Nothing is copied or hashed.
// UNAVAILABLE, reason INPUT_MISSING: not there, or of another size.
class LocalBlobs final : public InputSource {
 public:
  explicit LocalBlobs(const std::string& dir);

  absl::StatusOr<std::string> Path(const BlobDigest& digest, const CancelToken& cancel) override;
  absl::StatusOr<PartFile> PathOfPart(const BlobPart& part, const CancelToken& cancel) override;
  void ReleaseAll() override {}

 private:
  const std::string dir_;
};

}  // namespace bitwright::worker
