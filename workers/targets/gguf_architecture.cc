#include "workers/targets/gguf_architecture.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

struct Named {
  std::string_view family;        // config.json's model_type
  std::string_view architecture;  // llama.cpp's
  bool neighbours;                // rotary pairs are neighbours
};

// Families whose tensors have the names below.
constexpr Named kFamilies[] = {
    {"llama", "llama", true},
    {"mistral", "llama", true},
    {"qwen2", "qwen2", false},
    {"qwen3", "qwen3", false},
};

// The end of a name within a block, without ".weight" or ".bias".
constexpr std::pair<std::string_view, std::string_view> kOfBlock[] = {
    {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};

const AttendOp* AttentionOf(const BlockProgram& program) {
  for (const Operation& operation : program.operations) {
    if (const auto* attend = std::get_if<AttendOp>(&operation)) return attend;
  }
  return nullptr;
}

// prefixes: of each block.
absl::StatusOr<std::string> NameOf(const ModelConfig& config, const std::vector<std::string>& prefixes,
                                   const std::string& tensor) {
  const size_t dot = tensor.rfind('.');
  const std::string stem = tensor.substr(0, dot), end = tensor.substr(dot);
  if (tensor == config.embedding.tokens) return "token_embd" + end;
  if (tensor == config.head.norm.weight) return "output_norm" + end;
  if (tensor == config.head.weight) return "output" + end;
  for (size_t b = 0; b < prefixes.size(); ++b) {
    const std::string& prefix = prefixes[b];
    if (!stem.starts_with(prefix)) continue;
    for (const auto& [theirs, ours] : kOfBlock) {
      if (stem.substr(prefix.size()) == theirs) return absl::StrCat("blk.", b, ".", std::string(ours), end);
    }
  }
  return GgufCannotStoreError("tensor '" + tensor + "'", "llama.cpp has no name for it in this architecture");
}

absl::Status AddRope(const ModelConfig& config, const std::string& prefix, const AttendOp& attend,
                     std::vector<GgufSetting>& settings) {
  if (config.ropes.size() != 1) return GgufCannotStoreError("more than one rotary embedding", "its key holds one");
  const RopeConfig& rope = config.ropes[0];
  if (rope.kind != RopeConfig::Kind::kDefault && rope.kind != RopeConfig::Kind::kLinear) {
    return GgufCannotStoreError("a rotary embedding other than default and linear", "its keys are not written yet");
  }
  settings.push_back(GgufNumber(prefix + "rope.freq_base", static_cast<float>(rope.theta)));
  settings.push_back(GgufNumber(prefix + "rope.dimension_count", static_cast<uint32_t>(rope.Rotary(attend.q.dim))));
  if (rope.kind == RopeConfig::Kind::kLinear) {
    settings.push_back(GgufText(prefix + "rope.scaling.type", "linear"));
    settings.push_back(GgufNumber(prefix + "rope.scaling.factor", static_cast<float>(rope.factor)));
  }
  return absl::OkStatus();
}

absl::Status AddSettings(const ModelConfig& config, GgufArchitecture& to) {
  const BlockProgram block = config.block(0);
  const AttendOp* attend = AttentionOf(block);
  if (attend == nullptr) return GgufCannotStoreError("a block without attention", "every architecture has it");
  const std::string prefix = to.name + ".";
  const auto add = [&](std::string_view key, int64_t value) {
    to.settings.push_back(GgufNumber(prefix + std::string(key), static_cast<uint32_t>(value)));
  };
  add("context_length", config.max_positions);
  add("embedding_length", config.hidden);
  add("block_count", config.layers);
  add("feed_forward_length", config.intermediate);
  add("attention.head_count", attend->q.count);
  add("attention.head_count_kv", attend->k.count);
  to.settings.push_back(
      GgufNumber(prefix + "attention.layer_norm_rms_epsilon", static_cast<float>(config.head.norm.eps)));
  ABSL_RETURN_IF_ERROR(AddRope(config, prefix, *attend, to.settings));
  add("attention.key_length", attend->k.dim);
  add("attention.value_length", attend->v.dim);
  if (attend->reach > 0 && attend->reach < config.max_positions) {
    return GgufCannotStoreError("a sliding window", "llama.cpp has none in this architecture");
  }
  add("vocab_size", config.vocab);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GgufArchitecture> DescribeGguf(const ModelConfig& config) {
  const auto family = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                                   [&](const Named& named) { return named.family == config.family; });
  if (family == std::end(kFamilies)) {
    return GgufCannotStoreError("the family '" + config.family + "'", "its names are not known here");
  }
  GgufArchitecture described;
  described.name = family->architecture;
  ABSL_RETURN_IF_ERROR(AddSettings(config, described));
  std::vector<std::string> prefixes;
  for (int64_t b = 0; b < config.layers; ++b) prefixes.push_back(config.block(b).prefix);
  const BlockProgram first = config.block(0);
  const int64_t head_dim = family->neighbours ? AttentionOf(first)->q.dim : 0;
  for (const TensorSpec& tensor : RequiredTensors(config)) {
    ABSL_ASSIGN_OR_RETURN(std::string name, NameOf(config, prefixes, tensor.name));
    const bool rotated = name.find(".attn_q.") != std::string::npos || name.find(".attn_k.") != std::string::npos;
    described.tensors.push_back({std::move(name), tensor.name, tensor.shape, rotated ? head_dim : 0});
  }
  std::ranges::sort(described.tensors, {}, &GgufSource::tensor);
  return described;
}

}  // namespace bitwright::worker
