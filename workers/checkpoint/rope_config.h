#pragma once

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "workers/checkpoint/config.h"

namespace bitwright::worker {

// What config.json says of rotary embeddings, with the precedence of transformers 5 (RotaryEmbeddingConfigMixin):
// rope_scaling, where it is not empty, takes the place of rope_parameters; in either, rope_type comes before the older
// type; rope_theta and partial_rotary_factor count inside it before beside it; original_max_position_embeddings counts
// beside it before inside it, and is max_position_embeddings where it is nowhere. A key that is there with null is
// there. CONFIG_INVALID where the reader fails; CONFIG_UNSUPPORTED for what it computes and we do not: other kinds
// (dynamic, longrope, proportional …), partial rotation, parameters by kind of layer, factors that are not above 0.
absl::StatusOr<RopeConfig> ReadRopeConfig(const nlohmann::json& config, int64_t max_positions);

}  // namespace bitwright::worker
