#include "workers/agent/code_version.h"

#include <algorithm>
#include <tuple>

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

std::string CodeVersionOf(const BlobDigest& executable, std::vector<LoadedLibrary> libraries) {
  std::sort(libraries.begin(), libraries.end(), [](const LoadedLibrary& a, const LoadedLibrary& b) {
    return std::tie(a.name, a.sha256) < std::tie(b.name, b.sha256);
  });
  Sha256 hash;
  hash.Update(executable.ToString());
  for (const LoadedLibrary& library : libraries) hash.Update("\n" + library.name + " " + library.sha256);
  return std::string(BITWRIGHT_VERSION) + "-" + hash.Finish().substr(0, 16);
}

absl::StatusOr<std::string> CodeVersion(const std::string& executable) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, DigestFile(executable));
  return CodeVersionOf(digest, ComputingLibraries());
}

}  // namespace bitwright::worker
