#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// Rotary position embedding. Names and formulas are those of transformers' modeling_rope_utils.
struct RopeConfig {
  enum class Kind { kDefault, kLinear, kDynamic, kLlama3, kYarn, kLongRope };
  Kind kind = Kind::kDefault;
  double theta = 10000;
  double rotary_factor = 1;  // share of a head that is rotated, from its first element on
  bool interleaved = false;  // pairs (2i, 2i + 1) instead of (i, i + half)
  double factor = 1;
  double low_freq_factor = 1;                     // llama3
  double high_freq_factor = 4;                    // llama3
  double max_positions = 0;                       // dynamic
  double original_max_positions = 0;              // llama3, yarn, longrope
  double beta_fast = 32;                          // yarn
  double beta_slow = 1;                           // yarn
  std::optional<double> attention_factor;         // yarn, longrope; without it, from factor (and the mscales)
  double mscale = 0;                              // yarn; 0: absent
  double mscale_all_dim = 0;                      // yarn; 0: absent
  bool truncate = true;                           // yarn
  std::vector<double> short_factor, long_factor;  // longrope: of windows up to original_max_positions, and longer ones

  // Elements of a head that are rotated.
  int64_t Rotary(int64_t head_dim) const { return static_cast<int64_t>(static_cast<double>(head_dim) * rotary_factor); }
};

// How a family spells the keys beside rope_parameters, and what their absence means.
struct RopeKeys {
  const char* theta = "rope_theta";
  double default_theta = 10000;
  const char* rotary_factor = "partial_rotary_factor";
  double default_rotary_factor = 1;
  // Whether readers agree on what a partial rotation means for the family; where not, only the whole one is taken.
  bool partial = false;
  bool only_longrope = false;  // "yarn" and "su" are old names of longrope, and there is no other kind
};

// What config.json says of rotary embeddings, with the precedence of transformers 5 (RotaryEmbeddingConfigMixin):
// rope_scaling, where it is not empty, takes the place of rope_parameters; in either, rope_type comes before the older
// type; rope_theta and partial_rotary_factor count inside it before beside it; original_max_position_embeddings counts
// beside it before inside it, and is max_position_embeddings where it is nowhere. A key that is there with null is
// there. CONFIG_INVALID where the reader fails; CONFIG_UNSUPPORTED for what it computes and we do not: other kinds
// (proportional …), partial rotation of some families, parameters by kind of layer, factors that are not above 0.
absl::StatusOr<RopeConfig> ReadRopeConfig(const nlohmann::json& config, int64_t max_positions, int64_t head_dim,
                                          const RopeKeys& keys = {});

}  // namespace bitwright::worker
