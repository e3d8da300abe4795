#include "workers/agent/code_version.h"

#include "proto/base/status_macros.h"
#include "proto/transfer/local_file.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {

absl::StatusOr<BlobDigest> DigestFile(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path, kFileErrors));
  const CancelToken never;
  Sha256 hash;
  ABSL_RETURN_IF_ERROR(file.HashTo(hash, never));
  return BlobDigest{hash.Finish(), file.size_bytes()};
}

absl::StatusOr<std::string> CodeVersion(const std::string& executable) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, DigestFile(executable));
  return std::string(BITWRIGHT_VERSION) + "-" + digest.sha256.substr(0, 16);
}

}  // namespace bitwright::worker
