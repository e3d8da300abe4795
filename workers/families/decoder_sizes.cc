#include "workers/families/decoder_sizes.h"

#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

constexpr int64_t kMaxLayers = 10000;

}  // namespace

absl::StatusOr<DecoderSizes> ReadSizes(const ConfigReader& from, const SizeKeys& keys) {
  DecoderSizes sizes;
  ABSL_ASSIGN_OR_RETURN(sizes.hidden, from.Size(keys.hidden));
  ABSL_ASSIGN_OR_RETURN(sizes.intermediate, from.Size(keys.intermediate, keys.intermediate_factor * sizes.hidden));
  ABSL_ASSIGN_OR_RETURN(sizes.layers, from.Size(keys.layers));
  ABSL_ASSIGN_OR_RETURN(sizes.heads, from.Size(keys.heads));
  ABSL_ASSIGN_OR_RETURN(sizes.kv_heads, from.Size("num_key_value_heads", sizes.heads));
  ABSL_ASSIGN_OR_RETURN(sizes.vocab, from.Size("vocab_size"));
  ABSL_ASSIGN_OR_RETURN(sizes.max_positions, from.Size(keys.max_positions));
  ABSL_ASSIGN_OR_RETURN(sizes.head_dim, from.Size("head_dim", sizes.hidden / sizes.heads));
  if (keys.heads_divide && sizes.hidden % sizes.heads != 0) {
    return ConfigInvalidError(keys.heads, std::string("does not divide ") + keys.hidden);
  }
  if (sizes.head_dim < 1) {
    return ConfigInvalidError(keys.heads, std::string("is above ") + keys.hidden + ", without a head_dim");
  }
  if (sizes.heads % sizes.kv_heads != 0) {
    return ConfigInvalidError("num_key_value_heads", std::string("does not divide ") + keys.heads);
  }
  if (keys.even_head && sizes.head_dim % 2 != 0) {
    return ConfigUnsupportedError("head_dim", std::to_string(sizes.head_dim), "even numbers, for rotary pairs");
  }
  if (sizes.layers > kMaxLayers) return ConfigInvalidError(keys.layers, "is above " + std::to_string(kMaxLayers));
  return sizes;
}

absl::Status CheckPadToken(const ConfigReader& from, int64_t vocab) {
  const json pad = from.Key("pad_token_id");
  if (pad.is_number_integer() && (pad >= vocab || pad < -vocab)) {
    return ConfigInvalidError("pad_token_id", "is outside the vocabulary of " + std::to_string(vocab));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ReadLayerTypes(const ConfigReader& from, int64_t layers) {
  const json types = from.Key("layer_types");
  std::vector<std::string> read;
  if (types.is_null()) return read;
  if (static_cast<int64_t>(types.size()) != layers) {
    return ConfigInvalidError("layer_types", "has another length than num_hidden_layers");
  }
  for (const json& type : types) {
    const std::string name = type == "attention" ? "full_attention" : type.get<std::string>();
    if (name != "full_attention" && name != "sliding_attention") {
      return ConfigUnsupportedError("layer_types", name, "full_attention, sliding_attention");
    }
    read.push_back(name);
  }
  return read;
}

}  // namespace bitwright::worker
