#include "server/jobs/manifest_hash.h"

#include "proto/contract/digest.h"

namespace bitwright::server {

// A path holds neither of the two separators.
std::string ManifestHash(const v1::Manifest& manifest) {
  Sha256 hash;
  for (const v1::FileEntry& file : manifest.files()) {
    hash.Update(file.path() + '\0' + file.digest().sha256() + "/" + std::to_string(file.digest().size_bytes()) + "\n");
  }
  return hash.Finish();
}

}  // namespace bitwright::server
