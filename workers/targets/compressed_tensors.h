#pragma once

#include "workers/targets/target.h"

namespace bitwright::worker {

// "compressed-tensors": a Hugging Face folder with the tensors of compressed-tensors 0.20 (StoredTensors), each format
// in use a group of linears by explicit names.
const Target& CompressedTensors();

}  // namespace bitwright::worker
