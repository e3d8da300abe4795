#include "workers/checkpoint/config.h"

#include <array>
#include <cmath>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/strict_json.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// Largest value of any size in a config: keeps all products below 2^63.
constexpr int64_t kMaxSize = int64_t{1} << 24;

struct Family {
  std::string_view architecture;
  std::string_view name;
};
constexpr std::array<Family, 4> kFamilies{{
    {"LlamaForCausalLM", "llama"},
    {"MistralForCausalLM", "mistral"},
    {"Qwen2ForCausalLM", "qwen2"},
    {"Qwen3ForCausalLM", "qwen3"},
}};

bool Present(const json& object, const char* field) { return object.contains(field) && !object[field].is_null(); }

absl::StatusOr<int64_t> Size(const json& object, const char* field, std::optional<int64_t> fallback = std::nullopt) {
  if (!Present(object, field)) {
    if (fallback) return *fallback;
    return ConfigInvalidError(field, "is missing");
  }
  const json& value = object[field];
  if (!value.is_number_integer()) return ConfigInvalidError(field, "is not an integer");
  const int64_t size = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(kMaxSize)
                           ? kMaxSize + 1
                           : value.get<int64_t>();
  if (size < 1 || size > kMaxSize) return ConfigInvalidError(field, "is outside 1.." + std::to_string(kMaxSize));
  return size;
}

absl::StatusOr<double> Number(const json& object, const char* field, std::optional<double> fallback = std::nullopt) {
  if (!Present(object, field)) {
    if (fallback) return *fallback;
    return ConfigInvalidError(field, "is missing");
  }
  const json& value = object[field];
  if (!value.is_number()) return ConfigInvalidError(field, "is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number) || number < 0) return ConfigInvalidError(field, "is not a finite number ≥ 0");
  return number;
}

absl::StatusOr<bool> Flag(const json& object, const char* field, bool fallback) {
  if (!Present(object, field)) return fallback;
  if (!object[field].is_boolean()) return ConfigInvalidError(field, "is neither true nor false");
  return object[field].get<bool>();
}

absl::StatusOr<std::string> Text(const json& object, const char* field, const std::string& fallback) {
  if (!Present(object, field)) return fallback;
  if (!object[field].is_string()) return ConfigInvalidError(field, "is not a string");
  return object[field].get<std::string>();
}

absl::Status ReadLlama3(const json& from, RopeConfig& rope) {
  ABSL_ASSIGN_OR_RETURN(rope.low_freq_factor, Number(from, "low_freq_factor"));
  ABSL_ASSIGN_OR_RETURN(rope.high_freq_factor, Number(from, "high_freq_factor"));
  ABSL_ASSIGN_OR_RETURN(rope.original_max_positions, Number(from, "original_max_position_embeddings"));
  if (rope.high_freq_factor <= rope.low_freq_factor || rope.low_freq_factor <= 0) {
    return ConfigInvalidError("high_freq_factor", "is not above low_freq_factor, or that is not above 0");
  }
  return absl::OkStatus();
}

absl::Status ReadYarn(const json& from, double max_positions, RopeConfig& rope) {
  ABSL_ASSIGN_OR_RETURN(rope.original_max_positions, Number(from, "original_max_position_embeddings", max_positions));
  ABSL_ASSIGN_OR_RETURN(rope.beta_fast, Number(from, "beta_fast", 32));
  ABSL_ASSIGN_OR_RETURN(rope.beta_slow, Number(from, "beta_slow", 1));
  ABSL_ASSIGN_OR_RETURN(rope.mscale, Number(from, "mscale", 0));
  ABSL_ASSIGN_OR_RETURN(rope.mscale_all_dim, Number(from, "mscale_all_dim", 0));
  ABSL_ASSIGN_OR_RETURN(rope.truncate, Flag(from, "truncate", true));
  if (Present(from, "attention_factor")) {
    ABSL_ASSIGN_OR_RETURN(rope.attention_factor, Number(from, "attention_factor"));
  }
  if (rope.beta_fast <= 0 || rope.beta_slow <= 0) return ConfigInvalidError("beta_fast", "or beta_slow is not above 0");
  return absl::OkStatus();
}

// transformers 5 holds everything in rope_parameters; 4 has rope_theta beside rope_scaling, and its older key "type".
absl::StatusOr<RopeConfig> ReadRope(const json& config, double max_positions) {
  RopeConfig rope;
  ABSL_ASSIGN_OR_RETURN(rope.theta, Number(config, "rope_theta", 10000));
  const char* field = Present(config, "rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (!Present(config, field)) return rope;
  const json& from = config[field];
  if (!from.is_object()) return ConfigInvalidError(field, "is not an object");
  ABSL_ASSIGN_OR_RETURN(rope.theta, Number(from, "rope_theta", rope.theta));
  ABSL_ASSIGN_OR_RETURN(const std::string old_style, Text(from, "type", "default"));
  ABSL_ASSIGN_OR_RETURN(const std::string kind, Text(from, "rope_type", old_style));
  if (Present(from, "partial_rotary_factor") && from["partial_rotary_factor"] != 1) {
    return ConfigUnsupportedError("partial_rotary_factor", from["partial_rotary_factor"].dump(), "1");
  }
  if (kind == "default") return rope;
  ABSL_ASSIGN_OR_RETURN(rope.factor, Number(from, "factor"));
  if (rope.factor < 1) return ConfigInvalidError("factor", "of the rope is below 1");
  if (kind == "linear") {
    rope.kind = RopeConfig::Kind::kLinear;
  } else if (kind == "llama3") {
    rope.kind = RopeConfig::Kind::kLlama3;
    ABSL_RETURN_IF_ERROR(ReadLlama3(from, rope));
  } else if (kind == "yarn") {
    rope.kind = RopeConfig::Kind::kYarn;
    ABSL_RETURN_IF_ERROR(ReadYarn(from, max_positions, rope));
  } else {
    return ConfigUnsupportedError("rope_type", kind, "default, linear, llama3, yarn");
  }
  if (rope.kind != RopeConfig::Kind::kLinear && rope.original_max_positions < 1) {
    return ConfigInvalidError("original_max_position_embeddings", "is below 1");
  }
  return rope;
}

absl::StatusOr<std::string> ReadArchitecture(const json& config) {
  if (!Present(config, "architectures")) return ConfigInvalidError("architectures", "is missing");
  const json& list = config["architectures"];
  if (!list.is_array() || list.size() != 1 || !list[0].is_string()) {
    return ConfigInvalidError("architectures", "is not a list of one string");
  }
  return list[0].get<std::string>();
}

// Sliding windows: Mistral has one for all layers; Qwen for the layers that layer_types names, or (transformers 4) from
// max_window_layers on; use_sliding_window false switches them off.
absl::StatusOr<std::vector<int64_t>> ReadWindows(const json& config, const ModelConfig& model) {
  std::vector<int64_t> window(static_cast<size_t>(model.layers), 0);
  if (!Present(config, "sliding_window")) return window;
  ABSL_ASSIGN_OR_RETURN(const int64_t size, Size(config, "sliding_window"));
  if (model.family == "llama") return window;  // the field means nothing there
  const bool qwen = model.family != "mistral";
  ABSL_ASSIGN_OR_RETURN(const bool use, Flag(config, "use_sliding_window", !qwen));
  if (!use) return window;
  if (Present(config, "layer_types")) {
    const json& types = config["layer_types"];
    if (!types.is_array() || types.size() != window.size())
      return ConfigInvalidError("layer_types", "has another length than num_hidden_layers");
    for (size_t i = 0; i < window.size(); ++i) {
      if (types[i] != "full_attention" && types[i] != "sliding_attention") {
        return ConfigUnsupportedError("layer_types", types[i].dump(), "full_attention, sliding_attention");
      }
      window[i] = types[i] == "sliding_attention" ? size : 0;
    }
    return window;
  }
  ABSL_ASSIGN_OR_RETURN(const double first, Number(config, "max_window_layers", qwen ? 28 : 0));
  for (size_t i = 0; i < window.size(); ++i) window[i] = static_cast<double>(i) >= first ? size : 0;
  return window;
}

absl::Status ReadSizes(const json& config, ModelConfig& model) {
  ABSL_ASSIGN_OR_RETURN(model.hidden, Size(config, "hidden_size"));
  ABSL_ASSIGN_OR_RETURN(model.intermediate, Size(config, "intermediate_size"));
  ABSL_ASSIGN_OR_RETURN(model.layers, Size(config, "num_hidden_layers"));
  ABSL_ASSIGN_OR_RETURN(model.heads, Size(config, "num_attention_heads"));
  ABSL_ASSIGN_OR_RETURN(model.kv_heads, Size(config, "num_key_value_heads", model.heads));
  ABSL_ASSIGN_OR_RETURN(model.vocab, Size(config, "vocab_size"));
  ABSL_ASSIGN_OR_RETURN(model.max_positions, Size(config, "max_position_embeddings"));
  if (!Present(config, "head_dim") && model.hidden % model.heads != 0) {
    return ConfigInvalidError("num_attention_heads", "does not divide hidden_size, and head_dim is missing");
  }
  ABSL_ASSIGN_OR_RETURN(model.head_dim, Size(config, "head_dim", std::max<int64_t>(model.hidden / model.heads, 1)));
  if (model.heads % model.kv_heads != 0)
    return ConfigInvalidError("num_key_value_heads", "does not divide num_attention_heads");
  if (model.head_dim % 2 != 0) return ConfigInvalidError("head_dim", "is odd; rotary pairs need an even one");
  if (model.layers > 10000) return ConfigInvalidError("num_hidden_layers", "is above 10000");
  return absl::OkStatus();
}

absl::Status ReadFlags(const json& config, ModelConfig& model) {
  ABSL_ASSIGN_OR_RETURN(const bool attention_bias, Flag(config, "attention_bias", false));
  ABSL_ASSIGN_OR_RETURN(const bool mlp_bias, Flag(config, "mlp_bias", false));
  ABSL_ASSIGN_OR_RETURN(model.tied_embeddings, Flag(config, "tie_word_embeddings", false));
  const bool biases = model.family == "llama" || model.family == "qwen3";
  model.qkv_bias = model.family == "qwen2" || (biases && attention_bias);
  model.output_bias = biases && attention_bias;
  model.mlp_bias = model.family == "llama" && mlp_bias;
  model.qk_norm = model.family == "qwen3";
  ABSL_ASSIGN_OR_RETURN(const std::string activation, Text(config, "hidden_act", "silu"));
  if (activation != "silu") return ConfigUnsupportedError("hidden_act", activation, "silu");
  if (Present(config, "quantization_config")) {
    return ConfigUnsupportedError("quantization_config", "an already quantized model",
                                  "unquantized F32, F16, BF16 weights");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json_text) {
  ABSL_ASSIGN_OR_RETURN(const json config, ParseStrictJson(json_text, "config.json"));
  if (!config.is_object()) return JsonInvalidError("config.json", "it is not an object");
  ModelConfig model;
  ABSL_ASSIGN_OR_RETURN(model.architecture, ReadArchitecture(config));
  for (const Family& family : kFamilies) {
    if (family.architecture == model.architecture) model.family = family.name;
  }
  if (model.family.empty()) return ArchitectureUnsupportedError(model.architecture);
  ABSL_RETURN_IF_ERROR(ReadSizes(config, model));
  ABSL_ASSIGN_OR_RETURN(model.norm_eps, Number(config, "rms_norm_eps", 1e-6));
  ABSL_ASSIGN_OR_RETURN(model.rope, ReadRope(config, static_cast<double>(model.max_positions)));
  if (model.rope.theta <= 1) return ConfigInvalidError("rope_theta", "is not above 1");
  ABSL_RETURN_IF_ERROR(ReadFlags(config, model));
  ABSL_ASSIGN_OR_RETURN(model.window, ReadWindows(config, model));
  return model;
}

}  // namespace bitwright::worker
