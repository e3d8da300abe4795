#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// Writes a model of any shape into a folder: the given config.json, and the tensors that it asks for, BF16, random but
// the same for the same seed (norms are 1, matrices uniform with variance 1/columns). For memory and time, which no
// weight changes. Errors of ParseModelConfig and of files.
absl::Status WriteRandomModel(const std::string& config, const std::string& dir, uint64_t seed);

// Writes `windows` lines of `window` ids below `vocab`, as jobs take them (Data::TOKEN_IDS_JSONL).
absl::Status WriteRandomIds(const std::string& path, int64_t vocab, int64_t windows, int64_t window, uint64_t seed);

}  // namespace bitwright::worker
