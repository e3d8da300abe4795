#pragma once

#include <string>

#include "bitwright/v1/blobs.pb.h"

namespace bitwright::server {

// What a model consists of, as one name: SHA-256 over one line for each file, by path,
// "{path}\0{sha256}/{size_bytes}\n". Precondition: the manifest is sorted by path.
std::string ManifestHash(const v1::Manifest& manifest);

}  // namespace bitwright::server
