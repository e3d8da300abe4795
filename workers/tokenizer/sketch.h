#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitwright::worker {

// A sample of a text's runs of ids, by which two texts can be compared without either: the `size` smallest different
// hashes of all runs of `run` consecutive ids, rising. Texts that share a share of their runs share about that share of
// their sketches (bottom-k sketch: A. Broder, "On the resemblance and containment of documents", 1997). Depends on the
// ids alone, on every machine.
std::vector<uint64_t> SketchOf(std::span<const int32_t> ids, int run, int size);

}  // namespace bitwright::worker
