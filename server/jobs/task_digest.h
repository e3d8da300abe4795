#pragma once

#include <string>

#include "bitwright/v1/tasks.pb.h"

namespace bitwright::server {

// SHA-256 over the deterministic serialization of a concrete spec; the key of the action cache.
std::string TaskDigest(const v1::TaskSpec& spec);

}  // namespace bitwright::server
