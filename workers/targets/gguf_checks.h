#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/families/config.h"
#include "workers/targets/gguf_family.h"

namespace bitwright::worker {

// The attention of a block; null where it has none.
const AttendOp* AttentionOf(const BlockProgram& program);
// The mixture of experts of a block; null where it is dense.
const ExpertsOp* ExpertsOf(const BlockProgram& program);
// What the outputs of a block's parts are multiplied by before they are added to the stream.
double ResidualFactorOf(const BlockProgram& program);

// Whether llama.cpp's program for the family computes what the configuration's blocks, embedding and head do. Windows
// are GgufWindowsOf's, rotary embeddings gguf_rope.h's. TARGET_CANNOT_STORE, with what differs.
absl::Status CheckGgufComputes(const GgufFamily& family, const ModelConfig& config);

// Blocks that see only `reach` tokens, the query's own included: all but each period-th; period 0: all.
struct GgufWindows {
  int64_t reach = 0;
  int64_t period = 0;
};
// None where the architecture has no windows. Those of one that has them may be as long as the longest text: their
// blocks then still have a rotary embedding of their own. TARGET_CANNOT_STORE: windows that it lacks.
absl::StatusOr<std::optional<GgufWindows>> GgufWindowsOf(const GgufFamily& family, const ModelConfig& config);

}  // namespace bitwright::worker
