#include "workers/checkpoint/config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "proto/base/status_macros.h"
#include "proto/contract/architectures.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/config_keys.h"
#include "workers/checkpoint/rope_config.h"
#include "workers/checkpoint/strict_json.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// Largest value of any size in a config: keeps all products below 2^63.
constexpr int64_t kMaxSize = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 10000;

bool Present(const json& object, const char* field) { return object.contains(field) && !object[field].is_null(); }

// One config and the family whose keys it is read by.
struct Source {
  const json& config;
  const std::string& family;

  json Key(const char* field) const { return ConfigKey(config, family, field); }
  bool Flag(const char* field) const { return Key(field) == true; }
};

// A size, or `fallback` where the key is null or not the family's.
absl::StatusOr<int64_t> Size(const Source& from, const char* field, int64_t fallback = 0) {
  const json value = from.Key(field);
  if (value.is_null()) return fallback;
  const int64_t size = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(kMaxSize)
                           ? kMaxSize + 1
                           : value.get<int64_t>();
  if (size < 1 || size > kMaxSize) return ConfigInvalidError(field, "is outside 1.." + std::to_string(kMaxSize));
  return size;
}

// "architectures" names the class; without it "model_type" does, as for transformers' AutoModelForCausalLM. Both must
// mean the same family.
absl::StatusOr<std::string> ReadArchitecture(const json& config) {
  std::string type;
  if (Present(config, "model_type")) {
    if (!config["model_type"].is_string()) return ConfigInvalidError("model_type", "is not a string");
    type = config["model_type"].get<std::string>();
  }
  if (!Present(config, "architectures") || config["architectures"] == json::array()) {
    if (type.empty()) return ConfigInvalidError("architectures", "is missing, and model_type is, too");
    const std::string architecture(ArchitectureOf(type));
    if (architecture.empty()) return ArchitectureUnsupportedError("of model_type " + type);
    return architecture;
  }
  const json& list = config["architectures"];
  if (!list.is_array() || list.size() != 1 || !list[0].is_string()) {
    return ConfigInvalidError("architectures", "is not a list of one string");
  }
  const std::string architecture = list[0].get<std::string>();
  const std::string_view family = FamilyOf(architecture);
  if (family.empty()) return ArchitectureUnsupportedError(architecture);
  if (!type.empty() && type != family) {
    return ConfigInvalidError("model_type", "is '" + type + "', but architectures names " + architecture);
  }
  return architecture;
}

absl::Status ReadSizes(const Source& from, ModelConfig& model) {
  ABSL_ASSIGN_OR_RETURN(model.hidden, Size(from, "hidden_size"));
  ABSL_ASSIGN_OR_RETURN(model.intermediate, Size(from, "intermediate_size"));
  ABSL_ASSIGN_OR_RETURN(model.layers, Size(from, "num_hidden_layers"));
  ABSL_ASSIGN_OR_RETURN(model.heads, Size(from, "num_attention_heads"));
  ABSL_ASSIGN_OR_RETURN(model.kv_heads, Size(from, "num_key_value_heads", model.heads));
  ABSL_ASSIGN_OR_RETURN(model.vocab, Size(from, "vocab_size"));
  ABSL_ASSIGN_OR_RETURN(model.max_positions, Size(from, "max_position_embeddings"));
  ABSL_ASSIGN_OR_RETURN(model.head_dim, Size(from, "head_dim", model.hidden / model.heads));
  if (model.family == "llama" && model.hidden % model.heads != 0) {
    return ConfigInvalidError("num_attention_heads", "does not divide hidden_size");
  }
  if (model.head_dim < 1) return ConfigInvalidError("num_attention_heads", "is above hidden_size, without a head_dim");
  if (model.heads % model.kv_heads != 0) {
    return ConfigInvalidError("num_key_value_heads", "does not divide num_attention_heads");
  }
  if (model.head_dim % 2 != 0) {
    return ConfigUnsupportedError("head_dim", std::to_string(model.head_dim), "even numbers, for rotary pairs");
  }
  if (model.layers > kMaxLayers) {
    return ConfigInvalidError("num_hidden_layers", "is above " + std::to_string(kMaxLayers));
  }
  return absl::OkStatus();
}

// Parts of the architecture that a family has or lacks, and those that a flag adds.
absl::Status ReadParts(const Source& from, ModelConfig& model) {
  model.qkv_bias = model.family == "qwen2" || from.Flag("attention_bias");
  model.output_bias = from.Flag("attention_bias");
  model.mlp_bias = from.Flag("mlp_bias");
  model.qk_norm = model.family == "qwen3";
  model.tied_embeddings = from.Flag("tie_word_embeddings");
  model.norm_eps = from.Key("rms_norm_eps").get<double>();
  if (!std::isfinite(model.norm_eps) || model.norm_eps < 0) {
    return ConfigInvalidError("rms_norm_eps", "is not a finite number ≥ 0");
  }
  const json activation = from.Key("hidden_act");
  if (activation.is_string() && activation != "silu" && activation != "swish") {  // two names of one function
    return ConfigUnsupportedError("hidden_act", activation.get<std::string>(), "silu");
  }
  const json pad = from.Key("pad_token_id");
  if (pad.is_number_integer() && (pad >= model.vocab || pad < -model.vocab)) {
    return ConfigInvalidError("pad_token_id", "is outside the vocabulary of " + std::to_string(model.vocab));
  }
  return absl::OkStatus();
}

// Keys that change what the reader computes, and whose other values we do not compute.
absl::Status CheckUnsupported(const Source& from) {
  const json& config = from.config;
  if (Present(config, "quantization_config")) {
    return ConfigUnsupportedError("quantization_config", "an already quantized model",
                                  "unquantized F32, F16, BF16 weights");
  }
  if (config.contains("is_causal") && config["is_causal"] != true) {
    return ConfigUnsupportedError("is_causal", config["is_causal"].dump(), "true");
  }
  for (const char* field : {"per_layer_config", "transformers_weights"}) {
    if (Present(config, field)) return ConfigUnsupportedError(field, config[field].dump(), "none");
  }
  constexpr std::array kTypes = {"float32", "float", "float16", "half", "bfloat16", "float64", "double"};
  const char* field = Present(config, "dtype") ? "dtype" : "torch_dtype";
  const json type = from.Key(field);
  if (type.is_string() && std::find(kTypes.begin(), kTypes.end(), type.get<std::string>()) == kTypes.end()) {
    return ConfigUnsupportedError(field, type.get<std::string>(), "float32, float16, bfloat16");
  }
  return absl::OkStatus();
}

// Checks layer_types where it is given; the types, with the one old name that means the same.
absl::StatusOr<std::vector<std::string>> ReadLayerTypes(const Source& from, const ModelConfig& model) {
  const json types = from.Key("layer_types");
  std::vector<std::string> read;
  if (types.is_null()) return read;
  if (types.size() != model.window.size()) {
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

// Mistral has one window for all layers, and none where sliding_window is null. Qwen has one where use_sliding_window
// is true: for the layers that layer_types names, else from max_window_layers on. Llama has none.
absl::Status ReadWindows(const Source& from, ModelConfig& model) {
  model.window.assign(static_cast<size_t>(model.layers), 0);
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> types, ReadLayerTypes(from, model));
  ABSL_ASSIGN_OR_RETURN(const int64_t size, Size(from, "sliding_window"));
  if (model.family == "mistral") std::fill(model.window.begin(), model.window.end(), size);
  if (model.family == "llama" || model.family == "mistral") return absl::OkStatus();
  const int64_t used = from.Flag("use_sliding_window") ? size : 0;
  const double first = from.Key("max_window_layers").get<double>();
  for (size_t i = 0; i < model.window.size(); ++i) {
    const bool slides = types.empty() ? first <= static_cast<double>(i) : types[i] == "sliding_attention";
    if (!types.empty() && slides && used == 0) {
      return ConfigInvalidError("layer_types", "names sliding layers, but there is no sliding_window in use");
    }
    if (slides) model.window[i] = used;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json_text) {
  ABSL_ASSIGN_OR_RETURN(const json config, ParseStrictJson(json_text, "config.json"));
  if (!config.is_object()) return JsonInvalidError("config.json", "it is not an object");
  ModelConfig model;
  ABSL_ASSIGN_OR_RETURN(model.architecture, ReadArchitecture(config));
  model.family = FamilyOf(model.architecture);
  ABSL_RETURN_IF_ERROR(CheckConfigKeys(config, model.family));
  const Source from{config, model.family};
  ABSL_RETURN_IF_ERROR(CheckUnsupported(from));
  ABSL_RETURN_IF_ERROR(ReadSizes(from, model));
  ABSL_RETURN_IF_ERROR(ReadParts(from, model));
  ABSL_ASSIGN_OR_RETURN(model.rope, ReadRopeConfig(config, model.max_positions));
  ABSL_RETURN_IF_ERROR(ReadWindows(from, model));
  return model;
}

}  // namespace bitwright::worker
