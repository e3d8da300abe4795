#include "workers/import/gguf_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/architectures.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/gguf_numbers.h"
#include "workers/import/import_errors.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kPlainTheta = 10000;
constexpr char kDivisors[] = "rope_freqs.weight";

// What was written as f32 of a decimal with fewer digits.
double Decimal(double stored) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, static_cast<float>(stored)).ptr;
  double value = stored;
  std::from_chars(text, end, value);
  return value;
}

bool Close(double a, double b) { return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b)); }

// The metadata under "{architecture}.".
class Keys {
 public:
  Keys(const SplitGguf& parts, std::string architecture) : parts_(parts), architecture_(std::move(architecture)) {}

  const SplitGguf& parts() const { return parts_; }
  std::string Name(std::string_view key) const { return architecture_ + "." + std::string(key); }
  bool Has(std::string_view key) const { return parts_.metadata().Has(Name(key)); }

  // An error of one is that of all: Status() has the first.
  int64_t Count(std::string_view key) { return Take(parts_.metadata().Integer(Name(key)), int64_t{0}); }
  int64_t Count(std::string_view key, int64_t fallback) { return Has(key) ? Count(key) : fallback; }
  double Number(std::string_view key) { return Decimal(Take(parts_.metadata().Real(Name(key)), 0.0)); }
  double Number(std::string_view key, double fallback) { return Has(key) ? Number(key) : fallback; }
  std::string Text(std::string_view key) {
    return Has(key) ? std::string(Take(parts_.metadata().Text(Name(key)), std::string_view())) : "";
  }
  // The d-th dimension of a tensor, 0 where there is none.
  int64_t Dimension(const std::string& tensor, size_t d) const {
    const auto found = parts_.tensors().find(tensor);
    return found == parts_.tensors().end() || found->second->shape.size() <= d ? 0 : found->second->shape[d];
  }
  std::vector<double> Values(const std::string& tensor) const;
  const absl::Status& Status() const { return status_; }

 private:
  template <typename T>
  T Take(absl::StatusOr<T> value, T fallback) {
    if (value.ok()) return *value;
    if (status_.ok()) status_ = value.status();
    return fallback;
  }

  const SplitGguf& parts_;
  const std::string architecture_;
  absl::Status status_;
};

// Of a vector in F32, which factors of rotary embeddings are; empty where it is not there, or something else.
std::vector<double> Keys::Values(const std::string& tensor) const {
  const auto found = parts_.tensors().find(tensor);
  if (found == parts_.tensors().end() || found->second->type.id != 0 || found->second->shape.size() != 1) return {};
  std::vector<float> values(found->second->bytes.size() / sizeof(float));
  ToFloat({DType::kF32, found->second->shape, found->second->bytes}, values);
  std::vector<double> decimals;
  decimals.reserve(values.size());
  for (const float value : values) decimals.push_back(Decimal(value));
  return decimals;
}

// --- rotary embeddings ---

Json Rope(Keys& keys) {
  Json rope = {{"rope_theta", keys.Number("rope.freq_base", kPlainTheta)}, {"rope_type", "default"}};
  std::string type = Printable(keys.Text("rope.scaling.type"));
  if (type.empty() && !keys.Values("rope_factors_long.weight").empty()) type = "longrope";
  if (type.empty() || type == "none") return rope;
  rope["rope_type"] = type;
  if (type == "linear" || type == "yarn") rope["factor"] = keys.Number("rope.scaling.factor");
  if (type == "linear") return rope;
  rope["original_max_position_embeddings"] = keys.Count("rope.scaling.original_context_length");
  const double factor = keys.Number("rope.scaling.attn_factor", 1);
  if (type == "yarn" && factor != 1) {
    const double scaling = rope["factor"].get<double>();
    rope["attention_factor"] = factor * (scaling <= 1 ? 1 : 0.1 * std::log(scaling) + 1);
  }
  if (type != "longrope") return rope;
  if (keys.Has("rope.scaling.attn_factor")) rope["attention_factor"] = factor;
  rope["short_factor"] = keys.Values("rope_factors_short.weight");
  rope["long_factor"] = keys.Values("rope_factors_long.weight");
  return rope;
}

// A llama3 rope has its numbers in no key, but divisors of frequencies in a tensor: one of those that models have.
std::vector<Json> RopesOf(Keys& keys) {
  const Json plain = Rope(keys);
  const std::vector<double> divisors = keys.Values(kDivisors);
  if (divisors.empty() || plain["rope_type"] != "default") return {plain};
  double factor = *std::max_element(divisors.begin(), divisors.end());
  if (Close(factor, std::round(factor))) factor = std::round(factor);  // a quotient of f32
  std::vector<Json> ropes;
  for (const double high : {4.0, 8.0, 2.0}) {
    for (int64_t positions = 64; positions <= 1 << 18; positions *= 2) {
      Json rope = plain;
      rope["rope_type"] = "llama3";
      rope["factor"] = factor;
      rope["low_freq_factor"] = 1.0;
      rope["high_freq_factor"] = high;
      rope["original_max_position_embeddings"] = positions;
      ropes.push_back(std::move(rope));
    }
  }
  return ropes;
}

// --- families ---

void AddSizes(Keys& keys, Json& config) {
  const int64_t heads = keys.Count("attention.head_count");
  config["hidden_size"] = keys.Count("embedding_length");
  config["intermediate_size"] = keys.Count("feed_forward_length", 0);
  config["num_hidden_layers"] = keys.Count("block_count");
  config["num_attention_heads"] = heads;
  config["num_key_value_heads"] = keys.Count("attention.head_count_kv", heads);
  if (keys.Has("attention.key_length")) config["head_dim"] = keys.Count("attention.key_length");
  config["max_position_embeddings"] = keys.Count("context_length");
  config["rms_norm_eps"] = keys.Number("attention.layer_norm_rms_epsilon");
}

void AddSilu(Keys&, Json& config) { config["hidden_act"] = "silu"; }

void AddBiases(Keys& keys, Json& config) {
  config["hidden_act"] = "silu";
  config["attention_bias"] = keys.parts().Has("blk.0.attn_q.bias");
  config["mlp_bias"] = keys.parts().Has("blk.0.ffn_up.bias");
}

// Experts in every block.
void AddExperts(Keys& keys, Json& config) {
  config["hidden_act"] = "silu";
  config["num_experts_per_tok"] = keys.Count("expert_used_count");
  config["moe_intermediate_size"] =
      keys.Count("expert_feed_forward_length", keys.Dimension("blk.0.ffn_down_exps.weight", 2));
  config["decoder_sparse_step"] = 1;
  config["mlp_only_layers"] = Json::array();
  config["num_experts"] = keys.Count("expert_count");
}

void AddMixtral(Keys& keys, Json& config) {
  config["hidden_act"] = "silu";
  config["num_local_experts"] = keys.Count("expert_count");
  config["num_experts_per_tok"] = keys.Count("expert_used_count");
  config["sliding_window"] = nullptr;
  const int64_t inner = keys.Dimension("blk.0.ffn_down_exps.weight", 2);
  if (inner > 0) config["intermediate_size"] = inner;
}

void AddQwen2Moe(Keys& keys, Json& config) {
  AddExperts(keys, config);
  config["norm_topk_prob"] = false;
  config["qkv_bias"] = keys.parts().Has("blk.0.attn_q.bias");
  config["shared_expert_intermediate_size"] =
      keys.Count("expert_shared_feed_forward_length", keys.Dimension("blk.0.ffn_down_shexp.weight", 1));
}

void AddQwen3Moe(Keys& keys, Json& config) {
  AddExperts(keys, config);
  config["norm_topk_prob"] = true;
}

void AddGemma(Keys&, Json& config) { config["hidden_act"] = "gelu_pytorch_tanh"; }

void AddGemmaWindows(Keys& keys, int64_t period, int64_t wide_blocks, Json& config) {
  config["hidden_activation"] = "gelu_pytorch_tanh";
  const int64_t blocks = config["num_hidden_layers"], heads = config["num_attention_heads"];
  const int64_t head_dim = config.value("head_dim", int64_t{256});
  const bool wide = blocks == wide_blocks && heads > 0;
  config["query_pre_attn_scalar"] = wide ? config["hidden_size"].get<int64_t>() / heads : head_dim;
  config["sliding_window"] = keys.Count("attention.sliding_window");
  const int64_t pattern = keys.Count("attention.sliding_window_pattern", period);
  Json types = Json::array();
  for (int64_t b = 0; b < std::min<int64_t>(blocks, 10'000); ++b) {
    types.push_back(pattern == 0 || (b + 1) % std::max<int64_t>(pattern, 1) != 0 ? "sliding_attention"
                                                                                 : "full_attention");
  }
  config["layer_types"] = std::move(types);
  for (const char* cap : {"attn_logit_softcapping", "final_logit_softcapping"}) {
    config[cap] = keys.Has(cap) ? Json(keys.Number(cap)) : Json(nullptr);
  }
}

void AddGemma2(Keys& keys, Json& config) { AddGemmaWindows(keys, 2, 46, config); }

void AddGemma3(Keys& keys, Json& config) {
  AddGemmaWindows(keys, 6, 62, config);
  config["rope_local_base_freq"] = keys.Number("rope.freq_base_swa", kPlainTheta);
}

void AddPhi3(Keys& keys, Json& config) {
  config["hidden_act"] = "silu";
  config["sliding_window"] = nullptr;
  config["pad_token_id"] = nullptr;
  const int64_t original = keys.Count("rope.scaling.original_context_length", 0);
  config["original_max_position_embeddings"] =
      original > 0 ? original : config["max_position_embeddings"].get<int64_t>();
}

void AddGranite(Keys& keys, Json& config) {
  AddBiases(keys, config);
  config["attention_multiplier"] = keys.Number("attention.scale");
  config["embedding_multiplier"] = keys.Number("embedding_scale");
  config["residual_multiplier"] = keys.Number("residual_scale");
  config["logits_scaling"] = keys.Number("logit_scale");
}

void AddOlmo2(Keys&, Json& config) {
  config["hidden_act"] = "silu";
  config["attention_bias"] = false;
  config["pad_token_id"] = nullptr;
}

Json Gpt2(Keys& keys) {
  return {{"n_embd", keys.Count("embedding_length")},
          {"n_inner", keys.Count("feed_forward_length")},
          {"n_layer", keys.Count("block_count")},
          {"n_head", keys.Count("attention.head_count")},
          {"n_positions", keys.Count("context_length")},
          {"layer_norm_epsilon", keys.Number("attention.layer_norm_epsilon")},
          {"activation_function", "gelu_new"}};
}

struct Form {
  std::string_view architecture;  // llama.cpp's
  std::string_view family;        // config.json's model_type
  void (*add)(Keys& keys, Json& config);
};

// One architecture of llama.cpp is several families; "llama" with experts is Mixtral.
constexpr Form kForms[] = {
    {"llama", "llama", AddBiases},
    {"qwen2", "qwen2", AddSilu},
    {"qwen3", "qwen3", AddSilu},
    {"qwen2moe", "qwen2_moe", AddQwen2Moe},
    {"qwen3moe", "qwen3_moe", AddQwen3Moe},
    {"gemma", "gemma", AddGemma},
    {"gemma2", "gemma2", AddGemma2},
    {"gemma3", "gemma3_text", AddGemma3},
    {"phi3", "phi3", AddPhi3},
    {"granite", "granite", AddGranite},
    {"olmo2", "olmo2", AddOlmo2},
    {"gpt2", "gpt2", nullptr},
};
constexpr Form kMixtral = {"llama", "mixtral", AddMixtral};

std::string Known() {
  std::string text;
  for (const Form& form : kForms) text += (text.empty() ? "" : ", ") + std::string(form.architecture);
  return text;
}

absl::StatusOr<Form> FormOf(const SplitGguf& parts, const std::string& architecture) {
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [&](const Form& one) { return one.architecture == architecture; });
  if (form == std::end(kForms)) {
    return GgufUnsupportedError(parts.file(), "architecture '" + architecture + "'", "known here are " + Known());
  }
  if (form->architecture != kMixtral.architecture) return *form;
  const auto experts = parts.metadata().Integer(architecture + ".expert_count");
  return experts.ok() && *experts > 0 ? kMixtral : *form;
}

// All of config.json but the rope.
absl::StatusOr<Json> BaseConfig(const Form& form, Keys& keys) {
  Json config = {{"architectures", Json::array({FindFamily(form.family)->architecture})}, {"model_type", form.family}};
  if (form.add == nullptr) {
    config.update(Gpt2(keys));
  } else {
    AddSizes(keys, config);
    ABSL_RETURN_IF_ERROR(keys.Status());
    form.add(keys, config);
  }
  config["vocab_size"] = keys.Dimension("token_embd.weight", 0);
  config["tie_word_embeddings"] = !keys.parts().Has("output.weight");
  for (const auto& [key, id] : {std::pair{"bos_token_id", "tokenizer.ggml.bos_token_id"},
                                {"eos_token_id", "tokenizer.ggml.eos_token_id"},
                                {"pad_token_id", "tokenizer.ggml.padding_token_id"}}) {
    const auto value = keys.parts().metadata().Integer(id);
    if (value.ok() && *value < config["vocab_size"].get<int64_t>()) config[key] = *value;
  }
  ABSL_RETURN_IF_ERROR(keys.Status());
  return config;
}

void AddRope(const Form& form, const Keys& keys, const Json& rope, Json& config) {
  if (form.family == "gpt2") return;
  if (form.family == "gemma3_text") {
    config["rope_theta"] = rope["rope_theta"];
    if (rope["rope_type"] == "default") return;
    config["rope_scaling"] = rope;
    config["rope_scaling"].erase("rope_theta");
    return;
  }
  config["rope_parameters"] = rope;
  if (form.family != "phi3") return;
  Keys copy = keys;
  const int64_t heads = config["num_attention_heads"], hidden = config["hidden_size"];
  const int64_t head_dim = config.value("head_dim", heads > 0 ? hidden / heads : 0);
  const int64_t rotary = copy.Count("rope.dimension_count", head_dim);
  if (rotary > 0 && rotary < head_dim) {
    config["rope_parameters"]["partial_rotary_factor"] = static_cast<double>(rotary) / static_cast<double>(head_dim);
  }
}

// --- what was read, held against the file ---

// Keys that say nothing of the arithmetic, or nothing in these architectures.
constexpr std::string_view kHarmless[] = {"tensor_data_layout",
                                          "rope.scaling.original_context_length",
                                          "rope.scaling.finetuned",
                                          "rope.scaling.yarn_log_multiplier",
                                          "pooling_type",
                                          "use_parallel_residual",
                                          "expert_gating_func",
                                          "attention.head_count_kv",
                                          "attention.group_norm_groups"};

bool SameValue(const GgufValue& ours, const GgufValue& theirs) {
  if (ours.kind == GgufKind::kString || theirs.kind == GgufKind::kString) {
    return ours.kind == theirs.kind && ours.encoded == theirs.encoded;
  }
  if (const auto a = NumbersIn<int64_t>(ours)) return NumbersIn<int64_t>(theirs) == a;
  const auto a = NumbersIn<double>(ours), b = NumbersIn<double>(theirs);
  return a && b && a->size() == b->size() && std::equal(a->begin(), a->end(), b->begin(), Close);
}

absl::Status CheckKeys(const Keys& keys, const GgufArchitecture& described) {
  const GgufMetadata& metadata = keys.parts().metadata();
  std::set<std::string_view> said;
  for (const GgufSetting& setting : described.settings) {
    said.insert(setting.key);
    if (!metadata.Has(setting.key)) continue;
    ABSL_ASSIGN_OR_RETURN(const GgufValue theirs, metadata.Find(setting.key));
    if (SameValue({setting.kind, setting.kind, 1, setting.encoded}, theirs)) continue;
    return GgufUnsupportedError(keys.parts().file(), "the value of '" + setting.key + "'",
                                "a model of this architecture has another one here");
  }
  for (const std::string_view key : kHarmless) said.insert(key);
  const std::string prefix = keys.Name("");
  for (const GgufEntry& entry : metadata.entries()) {
    if (!entry.key.starts_with(prefix) || said.contains(entry.key)) continue;
    if (said.contains(entry.key.substr(prefix.size()))) continue;
    return GgufUnsupportedError(keys.parts().file(), "key '" + std::string(entry.key) + "'",
                                "what it changes is not computed here");
  }
  return absl::OkStatus();
}

absl::Status CheckTensors(const Keys& keys, const GgufArchitecture& described) {
  std::set<std::string_view> used;
  for (const GgufSource& source : described.tensors) {
    const auto found = keys.parts().tensors().find(source.name);
    if (found == keys.parts().tensors().end()) return TensorMissingError(source.name, "is part of the architecture");
    used.insert(found->first);
    if (found->second->shape != source.shape) {
      return TensorShapeWrongError(found->second.name, source.name, ShapeText(found->second->shape),
                                   ShapeText(source.shape));
    }
    if (source.values.empty()) continue;
    const std::vector<double> theirs = keys.Values(source.name);
    if (std::equal(theirs.begin(), theirs.end(), source.values.begin(), source.values.end(), Close)) continue;
    return GgufUnsupportedError(found->second.name, "tensor '" + source.name + "'",
                                "its factors are those of no rotary embedding that is known here");
  }
  for (const auto& [name, tensor] : keys.parts().tensors()) {
    if (used.contains(name)) continue;
    return GgufUnsupportedError(tensor.name, "tensor '" + name + "'", "the architecture does not read it");
  }
  return absl::OkStatus();
}

absl::StatusOr<GgufModelConfig> Described(const Json& config, const Keys& keys) {
  GgufModelConfig read;
  read.text = config.dump(2) + "\n";
  ABSL_ASSIGN_OR_RETURN(read.config, ParseModelConfig(read.text));
  // Blocks cost work, and each has tensors.
  if (read.config.layers > static_cast<int64_t>(keys.parts().tensors().size())) {
    return TensorMissingError("blk." + std::to_string(read.config.layers - 1), "has to have tensors");
  }
  auto described = DescribeGguf(read.config);
  if (!described.ok()) {
    return GgufUnsupportedError(keys.parts().file(), "the model", std::string(described.status().message()));
  }
  read.described = *std::move(described);
  ABSL_RETURN_IF_ERROR(CheckKeys(keys, read.described));
  ABSL_RETURN_IF_ERROR(CheckTensors(keys, read.described));
  return read;
}

// Whether a model of one such block has the file's divisors of frequencies.
bool FitsDivisors(Json config, const Keys& keys) {
  config["num_hidden_layers"] = 1;
  const auto one = ParseModelConfig(config.dump());
  if (!one.ok()) return false;
  const auto described = DescribeGguf(*one);
  if (!described.ok()) return false;
  const std::vector<double> theirs = keys.Values(kDivisors);
  return std::any_of(described->tensors.begin(), described->tensors.end(), [&](const GgufSource& source) {
    return source.name == kDivisors &&
           std::equal(theirs.begin(), theirs.end(), source.values.begin(), source.values.end(), Close);
  });
}

}  // namespace

absl::StatusOr<GgufModelConfig> ReadGgufConfig(const SplitGguf& parts) {
  ABSL_ASSIGN_OR_RETURN(const std::string_view name, parts.metadata().Text("general.architecture"));
  const std::string architecture(name);
  ABSL_ASSIGN_OR_RETURN(const Form form, FormOf(parts, architecture));
  Keys keys(parts, architecture);
  ABSL_ASSIGN_OR_RETURN(const Json base, BaseConfig(form, keys));
  const std::vector<Json> ropes = RopesOf(keys);
  ABSL_RETURN_IF_ERROR(keys.Status());
  for (const Json& rope : ropes) {
    Json config = base;
    AddRope(form, keys, rope, config);
    if (ropes.size() == 1 || FitsDivisors(config, keys)) return Described(config, keys);
  }
  return GgufUnsupportedError(parts.file(), "tensor '" + std::string(kDivisors) + "'",
                              "its factors are those of no rotary embedding that is known here");
}

}  // namespace bitwright::worker
