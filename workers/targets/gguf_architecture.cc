#include "workers/targets/gguf_architecture.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/targets/gguf_checks.h"
#include "workers/targets/gguf_family.h"
#include "workers/targets/gguf_rope.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

class Settings {
 public:
  explicit Settings(std::string_view architecture) : prefix_(std::string(architecture) + ".") {}

  void Count(std::string_view key, int64_t value) {
    settings_.push_back(GgufNumber(prefix_ + std::string(key), static_cast<uint32_t>(value)));
  }
  void Number(std::string_view key, double value) {
    settings_.push_back(GgufNumber(prefix_ + std::string(key), static_cast<float>(value)));
  }
  void Add(const std::vector<GgufSetting>& more) { settings_.insert(settings_.end(), more.begin(), more.end()); }
  std::vector<GgufSetting> Take() { return std::move(settings_); }

 private:
  std::string prefix_;
  std::vector<GgufSetting> settings_;
};

// The width of a unit of one expert's part, or of a dense part in a block of experts.
int64_t InnerOf(const BlockProgram& block, bool experts) {
  for (const Operation& operation : block.operations) {
    if (const auto* op = std::get_if<ExpertsOp>(&operation); op != nullptr && experts) {
      return block.matrix(op->down).in();
    }
    if (const auto* op = std::get_if<ActivateOp>(&operation); op != nullptr && !experts) return op->gate.columns;
  }
  return 0;
}

void AddExperts(const BlockProgram& block, Settings& to) {
  const ExpertsOp* experts = ExpertsOf(block);
  if (experts == nullptr) return;
  to.Count("expert_count", block.matrix(experts->down).experts);
  to.Count("expert_used_count", experts->chosen);
  to.Count("expert_feed_forward_length", InnerOf(block, true));
  if (const int64_t shared = InnerOf(block, false); shared > 0) to.Count("expert_shared_feed_forward_length", shared);
}

void AddMultipliers(const ModelConfig& config, const BlockProgram& block, Settings& to) {
  to.Number("attention.scale", AttentionOf(block)->scale);
  to.Number("embedding_scale", config.embedding.factor);
  to.Number("residual_scale", ResidualFactorOf(block));
  to.Number("logit_scale", 1 / config.head.factor);  // logits are divided by it
}

absl::StatusOr<std::vector<GgufSetting>> SettingsOf(const GgufFamily& family, const ModelConfig& config,
                                                    const std::vector<GgufSetting>& rope) {
  const BlockProgram block = config.block(0);
  const AttendOp& attend = *AttentionOf(block);
  Settings settings(family.architecture);
  settings.Count("context_length", config.max_positions);
  settings.Count("embedding_length", config.hidden);
  settings.Count("block_count", config.layers);
  settings.Count("feed_forward_length", config.intermediate);
  settings.Count("attention.head_count", attend.q.count);
  settings.Count("attention.head_count_kv", attend.k.count);
  settings.Number(family.layer_norms ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
                  config.head.norm.eps);
  settings.Add(rope);
  settings.Count("attention.key_length", attend.k.dim);
  settings.Count("attention.value_length", attend.v.dim);
  ABSL_ASSIGN_OR_RETURN(const std::optional<GgufWindows> windows, GgufWindowsOf(family, config));
  if (windows) {
    settings.Count("attention.sliding_window", windows->reach);
    settings.Count("attention.sliding_window_pattern", windows->period);
  }
  if (attend.soft_cap != 0) settings.Number("attn_logit_softcapping", attend.soft_cap);
  if (config.head.soft_cap != 0) settings.Number("final_logit_softcapping", config.head.soft_cap);
  AddExperts(block, settings);
  if (family.multipliers) AddMultipliers(config, block, settings);
  settings.Count("vocab_size", config.vocab);
  return settings.Take();
}

// Collects the tensors of one model.
class Sources {
 public:
  Sources(const GgufFamily& family, const ModelConfig& config) : family_(family), config_(config) {}

  absl::Status Collect() {
    const int64_t hidden = config_.hidden;
    Add("token_embd.weight", config_.embedding.tokens, {config_.vocab, hidden});
    if (!config_.embedding.positions.empty()) {
      Add("position_embd.weight", config_.embedding.positions,
          {config_.embedding.first_position + config_.max_positions, hidden})
          .wide = true;
    }
    AddNorm("output_norm", config_.head.norm);
    if (!config_.tied_embeddings) Add("output.weight", config_.head.weight, {config_.vocab, hidden});
    for (int64_t b = 0; b < config_.layers; ++b) ABSL_RETURN_IF_ERROR(CollectBlock(b));
    return absl::OkStatus();
  }

  std::vector<GgufSource> Take() { return std::move(sources_); }

 private:
  GgufSource& Add(std::string name, std::string tensor, std::vector<int64_t> shape) {
    sources_.push_back({.name = std::move(name), .tensor = std::move(tensor), .shape = std::move(shape)});
    return sources_.back();
  }

  void AddNorm(const std::string& name, const NormSpec& norm) {
    if (!norm.weight.empty()) Add(name + ".weight", norm.weight, {norm.dim}).added = norm.plus_one ? 1 : 0;
    if (!norm.bias.empty()) Add(name + ".bias", norm.bias, {norm.dim});
  }

  // "blk.0.attn_q" for "model.layers.0.self_attn.q_proj".
  absl::StatusOr<std::string> NameOf(int64_t b, const BlockProgram& block, std::string_view stem) const {
    const std::string_view name = GgufNameOf(family_, stem.substr(std::min(block.prefix.size(), stem.size())));
    if (!name.empty() && stem.starts_with(block.prefix)) return absl::StrCat("blk.", b, ".", std::string(name));
    return GgufCannotStoreError("tensor '" + std::string(stem) + "'",
                                "llama.cpp has no name for it in this architecture");
  }

  absl::Status CollectBlock(int64_t b) {
    const BlockProgram block = config_.block(b);
    for (const NormSpec& norm : block.norms) {
      if (norm.weight.empty()) continue;
      ABSL_ASSIGN_OR_RETURN(const std::string name, NameOf(b, block, norm.weight.substr(0, norm.weight.rfind('.'))));
      AddNorm(name, norm);
    }
    for (const UnitSpec& unit : block.units) {
      for (size_t i = 0; i < unit.linears_of_expert(); ++i) ABSL_RETURN_IF_ERROR(AddLinear(b, block, unit, i, false));
    }
    for (const UnitSpec& unit : block.kept) {
      for (size_t i = 0; i < unit.linears.size(); ++i) ABSL_RETURN_IF_ERROR(AddLinear(b, block, unit, i, true));
    }
    return absl::OkStatus();
  }

  // The i-th linear of each expert.
  absl::Status AddLinear(int64_t b, const BlockProgram& block, const UnitSpec& unit, size_t i, bool kept) {
    const LinearSpec& linear = unit.linears[i];
    ABSL_ASSIGN_OR_RETURN(const std::string name, NameOf(b, block, linear.name));
    const bool input = name.ends_with("_q") || name.ends_with("_k") || name.ends_with("_v");
    const int64_t head_dim = family_.neighbours && input && !name.ends_with("_v") ? AttentionOf(block)->q.dim : 0;
    GgufSource& weight = Add(name + ".weight", linear.name + ".weight", {linear.out, linear.in});
    weight.rotary_head_dim = head_dim;
    weight.wide = kept;
    if (unit.experts > 1) weight.shape.insert(weight.shape.begin(), unit.experts);
    for (size_t e = i + unit.linears_of_expert(); e < unit.linears.size() && unit.experts > 1;
         e += unit.linears_of_expert()) {
      weight.further.push_back(unit.linears[e].name + ".weight");
    }
    if (!linear.bias) return absl::OkStatus();
    if (unit.experts > 1 || family_.biases == GgufFamily::Biases::kNone ||
        (family_.biases == GgufFamily::Biases::kQkv && !input)) {
      return GgufCannotStoreError("the bias of '" + linear.name + "'", "llama.cpp adds none in this architecture");
    }
    Add(name + ".bias", linear.name + ".bias", {linear.out}).rotary_head_dim = head_dim;
    return absl::OkStatus();
  }

  const GgufFamily& family_;
  const ModelConfig& config_;
  std::vector<GgufSource> sources_;
};

}  // namespace

absl::StatusOr<GgufArchitecture> DescribeGguf(const ModelConfig& config) {
  ABSL_ASSIGN_OR_RETURN(const GgufFamily* family, FindGgufFamily(config.family));
  ABSL_RETURN_IF_ERROR(CheckGgufComputes(*family, config));
  ABSL_ASSIGN_OR_RETURN(const GgufRope rope, DescribeGgufRope(*family, config, AttentionOf(config.block(0))->q.dim));
  GgufArchitecture described;
  described.name = family->architecture;
  ABSL_ASSIGN_OR_RETURN(described.settings, SettingsOf(*family, config, rope.settings));
  Sources sources(*family, config);
  ABSL_RETURN_IF_ERROR(sources.Collect());
  described.tensors = sources.Take();
  described.tensors.insert(described.tensors.end(), rope.tensors.begin(), rope.tensors.end());
  std::ranges::stable_sort(described.tensors, {}, &GgufSource::tensor);
  return described;
}

}  // namespace bitwright::worker
