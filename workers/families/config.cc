#include "workers/families/config.h"

#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/strict_json.h"
#include "workers/families/config_reader.h"
#include "workers/families/dtype_name.h"
#include "workers/families/family.h"
#include "workers/families/table.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

const Family* FindArchitecture(std::string_view architecture) {
  for (const Family* family : Families()) {
    if (family->architecture == architecture) return family;
  }
  return nullptr;
}

const Family* FindFamily(std::string_view name) {
  for (const Family* family : Families()) {
    if (family->name == name) return family;
  }
  return nullptr;
}

bool Present(const json& object, const char* field) { return object.contains(field) && !object[field].is_null(); }

// "architectures" names the class; without it "model_type" does, as for transformers' AutoModelForCausalLM. Both must
// mean the same family.
absl::StatusOr<const Family*> ReadFamily(const json& config) {
  std::string type;
  if (Present(config, "model_type")) {
    if (!config["model_type"].is_string()) return ConfigInvalidError("model_type", "is not a string");
    type = config["model_type"].get<std::string>();
  }
  if (!Present(config, "architectures") || config["architectures"] == json::array()) {
    if (type.empty()) return ConfigInvalidError("architectures", "is missing, and model_type is, too");
    const Family* family = FindFamily(type);
    if (family == nullptr) return ArchitectureUnsupportedError("of model_type " + type);
    return family;
  }
  const json& list = config["architectures"];
  if (!list.is_array() || list.size() != 1 || !list[0].is_string()) {
    return ConfigInvalidError("architectures", "is not a list of one string");
  }
  const std::string architecture = list[0].get<std::string>();
  const Family* family = FindArchitecture(architecture);
  if (family == nullptr) return ArchitectureUnsupportedError(architecture);
  if (!type.empty() && type != family->name) {
    return ConfigInvalidError("model_type", "is '" + type + "', but architectures names " + architecture);
  }
  return family;
}

// Keys that change what the reader computes, and whose other values we do not compute.
absl::Status CheckUnsupported(const ConfigReader& from) {
  const json& config = from.config();
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
  const char* field = Present(config, "dtype") ? "dtype" : "torch_dtype";
  const json type = from.Key(field);
  if (type.is_string() && !TorchDTypeName(type.get_ref<const std::string&>())) {
    return ConfigUnsupportedError(field, type.get<std::string>(), "float32, float16, bfloat16");
  }
  return absl::OkStatus();
}

void RequireNorm(const NormSpec& norm, const std::string& role, std::vector<TensorSpec>& all) {
  if (!norm.weight.empty()) all.push_back({norm.weight, {norm.dim}, role});
  if (!norm.bias.empty()) all.push_back({norm.bias, {norm.dim}, role});
}

}  // namespace

std::span<const Family* const> Families() {
  static constexpr const Family* kFamilies[] = {
      &kLlama,  &kMistral, &kQwen2,   &kQwen3, &kMixtral,  &kQwen2Moe, &kQwen3Moe, &kGemma,   &kGemma2,
      &kGemma3, &kPhi3,    &kGranite, &kOlmo2, &kStableLm, &kGpt2,     &kOpt,      &kGptNeoX,
  };
  return kFamilies;
}

absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json_text) {
  ABSL_ASSIGN_OR_RETURN(const json config, ParseStrictJson(json_text, "config.json"));
  if (!config.is_object()) return JsonInvalidError("config.json", "it is not an object");
  ABSL_ASSIGN_OR_RETURN(const Family* family, ReadFamily(config));
  const ConfigReader reader(config, family->keys);
  ABSL_RETURN_IF_ERROR(reader.CheckTypes());
  ABSL_RETURN_IF_ERROR(CheckUnsupported(reader));
  ABSL_ASSIGN_OR_RETURN(ModelConfig model, family->read(reader));
  model.family = family->name;
  model.architecture = family->architecture;
  return model;
}

std::vector<TensorSpec> RequiredTensors(const ModelConfig& config) {
  std::vector<TensorSpec> all;
  all.push_back({config.embedding.tokens, {config.vocab, config.hidden}, "is the token embedding"});
  if (!config.embedding.positions.empty()) {
    all.push_back({config.embedding.positions,
                   {config.embedding.first_position + config.max_positions, config.hidden},
                   "is the position embedding"});
  }
  RequireNorm(config.head.norm, "belongs to the final norm", all);
  if (!config.tied_embeddings) {
    all.push_back({config.head.weight,
                   {config.vocab, config.hidden},
                   "is the output head; where config.json has tie_word_embeddings true, the embedding is"});
  }
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram block = config.block(b);
    const std::string role = "belongs to block " + std::to_string(b) + " of " + std::to_string(config.layers);
    for (const NormSpec& norm : block.norms) RequireNorm(norm, role, all);
    for (const auto* units : {&block.units, &block.kept}) {
      for (const UnitSpec& unit : *units) {
        for (const LinearSpec& linear : unit.linears) {
          std::vector<int64_t> shape = {linear.out, linear.in};
          if (linear.transposed) std::swap(shape[0], shape[1]);
          all.push_back({linear.name + ".weight", shape, role});
          if (linear.bias) all.push_back({linear.name + ".bias", {linear.out}, role});
        }
      }
    }
  }
  return all;
}

}  // namespace bitwright::worker
