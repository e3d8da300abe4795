#include "workers/targets/gguf_checks.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

constexpr char kFixed[] = "llama.cpp computes this architecture otherwise";

// As f32, in which the file holds such numbers and llama.cpp computes them.
bool Same(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }

template <typename Op>
const Op* FirstOf(const BlockProgram& program) {
  for (const Operation& operation : program.operations) {
    if (const auto* op = std::get_if<Op>(&operation)) return op;
  }
  return nullptr;
}

// Of scores, where no key holds it.
double ScoreScale(const GgufFamily& family, const ModelConfig& config, const AttendOp& attend) {
  const bool wide = family.wide_scores_blocks == config.layers;
  return 1 / std::sqrt(static_cast<double>(wide ? config.hidden / attend.q.count : attend.q.dim));
}

absl::Status CheckAttention(const GgufFamily& family, const ModelConfig& config, const AttendOp& attend) {
  if (family.square && attend.q.count * attend.q.dim != config.hidden) {
    return GgufCannotStoreError("queries that are not as wide as the hidden size", kFixed);
  }
  if (!family.multipliers && !Same(attend.scale, ScoreScale(family, config, attend))) {
    return GgufCannotStoreError("a scale of attention scores of its own", kFixed);
  }
  if ((attend.soft_cap != 0) != (family.caps == GgufFamily::Caps::kBoth)) {
    return GgufCannotStoreError(attend.soft_cap != 0 ? "soft-capped scores" : "scores without a soft cap", kFixed);
  }
  return absl::OkStatus();
}

absl::Status CheckParts(const GgufFamily& family, const BlockProgram& block) {
  const ExpertsOp* experts = ExpertsOf(block);
  if ((experts != nullptr) != family.experts.has_value()) {
    return GgufCannotStoreError(experts ? "a mixture of experts" : "a block without experts",
                                "llama.cpp has no names for it in this architecture");
  }
  if (experts != nullptr && experts->normalized != *family.experts) {
    return GgufCannotStoreError("norm_topk_prob " + std::string(experts->normalized ? "true" : "false"), kFixed);
  }
  const auto* activate = FirstOf<ActivateOp>(block);
  if ((activate != nullptr && activate->activation != family.activation) ||
      (experts != nullptr && experts->activation != family.activation)) {
    return GgufCannotStoreError("another activation function", kFixed);
  }
  return absl::OkStatus();
}

absl::Status CheckNorms(const GgufFamily& family, const ModelConfig& config, const BlockProgram& block) {
  std::vector<NormSpec> norms = block.norms;
  norms.push_back(config.head.norm);
  for (const NormSpec& norm : norms) {
    if (norm.centered != family.layer_norms || norm.eps != config.head.norm.eps) {
      return GgufCannotStoreError("norms of another kind or epsilon", kFixed);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEnds(const GgufFamily& family, const ModelConfig& config) {
  using Head = GgufFamily::Head;
  const double root = family.root_embedding ? std::sqrt(static_cast<double>(config.hidden)) : 1;
  if (!family.multipliers && (!Same(config.embedding.factor, root) || !Same(config.head.factor, 1))) {
    return GgufCannotStoreError("a factor on embeddings or logits", kFixed);
  }
  if (config.head.soft_cap == 0 && family.caps == GgufFamily::Caps::kBoth) {
    return GgufCannotStoreError("logits without a soft cap", kFixed);
  }
  if (config.head.soft_cap != 0 && family.caps == GgufFamily::Caps::kNone) {
    return GgufCannotStoreError("soft-capped logits", kFixed);
  }
  if (family.head == (config.tied_embeddings ? Head::kOwn : Head::kTied)) {
    return GgufCannotStoreError(
        config.tied_embeddings ? "an output head that is the embedding" : "an output head that is not the embedding",
        "llama.cpp has no place for it in this architecture");
  }
  return absl::OkStatus();
}

// Whether the block's rotary embedding is that of windows.
bool IsLocal(const BlockProgram& block) {
  const auto* rotate = FirstOf<RotateOp>(block);
  return rotate != nullptr && rotate->rope != 0;
}

}  // namespace

const AttendOp* AttentionOf(const BlockProgram& program) { return FirstOf<AttendOp>(program); }
const ExpertsOp* ExpertsOf(const BlockProgram& program) { return FirstOf<ExpertsOp>(program); }

double ResidualFactorOf(const BlockProgram& program) {
  for (const Operation& operation : program.operations) {
    const auto* linear = std::get_if<LinearOp>(&operation);
    if (linear != nullptr && linear->residual >= 0) return linear->factor;
  }
  return 1;
}

absl::Status CheckGgufComputes(const GgufFamily& family, const ModelConfig& config) {
  ABSL_RETURN_IF_ERROR(CheckEnds(family, config));
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram block = config.block(b);
    const AttendOp* attend = AttentionOf(block);
    if (attend == nullptr) return GgufCannotStoreError("a block without attention", "every architecture has it");
    ABSL_RETURN_IF_ERROR(CheckAttention(family, config, *attend));
    ABSL_RETURN_IF_ERROR(CheckParts(family, block));
    ABSL_RETURN_IF_ERROR(CheckNorms(family, config, block));
    if (!family.multipliers && !Same(ResidualFactorOf(block), 1)) {
      return GgufCannotStoreError("a factor on residuals", kFixed);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<GgufWindows>> GgufWindowsOf(const GgufFamily& family, const ModelConfig& config) {
  std::vector<bool> local;
  GgufWindows windows;
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram block = config.block(b);
    const int64_t asked = AttentionOf(block)->reach;
    const int64_t reach = asked > 0 ? std::min(asked, config.max_positions) : config.max_positions;
    local.push_back(family.period > 0 && IsLocal(block));
    if (!local.back() && reach < config.max_positions) {
      return GgufCannotStoreError("a sliding window", "llama.cpp has none here in this architecture");
    }
    if (local.back()) windows.reach = reach;
  }
  if (family.period == 0) return std::nullopt;
  if (windows.reach == 0) windows.reach = config.max_positions;
  // llama.cpp takes any period, but no list.
  std::vector<int64_t> periods = {family.period, 0};
  for (int64_t period = 1; period <= config.layers; ++period) periods.push_back(period);
  for (const int64_t period : periods) {
    bool fits = true;
    for (int64_t b = 0; b < config.layers && fits; ++b) {
      fits = local[static_cast<size_t>(b)] == (period == 0 || b % period < period - 1);
    }
    if (!fits) continue;
    windows.period = period;
    return windows;
  }
  return GgufCannotStoreError("sliding windows in no regular order", "llama.cpp has all but each n-th block");
}

}  // namespace bitwright::worker
