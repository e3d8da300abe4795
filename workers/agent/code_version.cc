#include "workers/agent/code_version.h"

#include <algorithm>
#include <tuple>

#include "proto/base/status_macros.h"
#include "proto/transfer/local_file.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

void AddLibraries(std::vector<LoadedLibrary> libraries, Sha256& hash) {
  std::sort(libraries.begin(), libraries.end(), [](const LoadedLibrary& a, const LoadedLibrary& b) {
    return std::tie(a.name, a.sha256) < std::tie(b.name, b.sha256);
  });
  for (const LoadedLibrary& library : libraries) hash.Update("\n" + library.name + " " + library.sha256);
}

}  // namespace

absl::StatusOr<BlobDigest> DigestFile(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path, kFileErrors));
  const CancelToken never;
  Sha256 hash;
  ABSL_RETURN_IF_ERROR(file.HashTo(hash, never));
  return BlobDigest{hash.Finish(), file.size_bytes()};
}

std::string CodeVersionOf(const BlobDigest& executable, std::vector<LoadedLibrary> libraries) {
  Sha256 hash;
  hash.Update(executable.ToString());
  AddLibraries(std::move(libraries), hash);
  return std::string(BITWRIGHT_VERSION) + "-" + hash.Finish().substr(0, 16);
}

std::string LibrariesVersion(std::vector<LoadedLibrary> libraries) {
  Sha256 hash;
  AddLibraries(std::move(libraries), hash);
  return hash.Finish().substr(0, 8);
}

absl::StatusOr<std::string> CodeVersion(const std::string& executable) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, DigestFile(executable));
  return CodeVersionOf(digest, ComputingLibraries());
}

}  // namespace bitwright::worker
