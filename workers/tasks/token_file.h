#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/evaluate/token_stats.h"

namespace bitwright::worker {

// Per-token results of one evaluation shard as safetensors: f64 "nll_base", "nll_quantized", "kl", "p_delta"; u8
// "top1_same"; all [tokens].
absl::Status WriteTokenStats(const std::string& path, const TokenStats& stats);

// Appends the tokens of a shard to `stats`. INVALID_ARGUMENT when the file is damaged.
absl::Status AppendTokenStats(const std::string& path, TokenStats& stats);

}  // namespace bitwright::worker
