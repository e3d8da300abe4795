#include "tests/unit/workers/targets/sample_artifact.h"

#include <cmath>

#include "proto/base/log.h"
#include "proto/contract/limits.h"
#include "workers/targets/artifact.h"
#include "workers/targets/compressed_tensors.h"

namespace bitwright::worker {
namespace {

void AddKept(const std::string& name, const std::string& dtype, std::vector<int64_t> shape, v1::ModelInfo& info) {
  auto& kept = *info.add_kept();
  kept.set_name(name);
  kept.set_dtype(dtype);
  int64_t bytes = ByteSize(*ParseDType(dtype));
  for (const int64_t d : shape) {
    kept.add_shape(d);
    bytes *= d;
  }
  info.set_tensor_bytes(info.tensor_bytes() + bytes);
}

void AddUnit(int block, int index, int64_t out, int64_t in, v1::ModelInfo& info) {
  v1::UnitInfo& unit = *info.add_units();
  unit.set_name("model.layers." + std::to_string(block) + ".unit_" + std::to_string(index));
  unit.set_block(block);
  const int linears = index % 3 + 1;
  const DType dtype = *ParseDType(info.dtype());
  for (int l = 0; l < linears; ++l) {
    auto& linear = *unit.add_linears();
    linear.set_name(unit.name() + ".linear_" + std::to_string(l));
    linear.set_out_features(out);
    linear.set_in_features(in);
  }
  unit.set_weights(linears * out * in);
  info.set_tensor_bytes(info.tensor_bytes() + unit.weights() * ByteSize(dtype));
}

// Of any magnitude, negative and infinite ones too.
double AnyNumber(std::mt19937& random) {
  if (random() % 20 == 0) return std::numeric_limits<double>::infinity();
  if (random() % 20 == 0) return std::nan("");
  const double mantissa = static_cast<double>(random()) / 1234567.0 * (random() % 2 ? 1 : -1);
  return mantissa * std::pow(10.0, static_cast<double>(random() % 600) - 300);
}

}  // namespace

v1::ModelInfo SampleInfo(int blocks, int64_t hidden, int64_t intermediate, const std::string& dtype) {
  v1::ModelInfo info;
  info.set_architecture("LlamaForCausalLM");
  info.set_dtype(dtype);
  info.set_blocks(blocks);
  info.set_max_positions(2048);
  AddKept("lm_head.weight", dtype, {300, hidden}, info);
  AddKept("model.embed_tokens.weight", dtype, {300, hidden}, info);
  AddKept("model.norm.weight", "F32", {hidden}, info);
  for (int b = 0; b < blocks; ++b) {
    AddUnit(b, 0, hidden, hidden, info);
    AddUnit(b, 1, intermediate, hidden, info);
    AddUnit(b, 2, hidden, intermediate, info);
  }
  Describe(info);
  return info;
}

void Describe(v1::ModelInfo& info) {
  info.clear_targets();
  const v1::TargetInfo described = DescribeTarget(CompressedTensors(), SampleModel(info));
  CHECK(!described.has_refusal()) << described.refusal().message();
  *info.add_targets() = described;
}

TargetModel SampleModel(const v1::ModelInfo& info) {
  return {info, "sample", {{"config.json", kSampleConfig}}, {{"tokenizer.json", 1000}, {"generation_config.json", 0}}};
}

v1::Plan RandomPlan(const v1::ModelInfo& info, std::mt19937& random) {
  v1::Plan plan;
  plan.set_name("mixed");
  const bool channel_only = random() % 4 == 0;
  for (int u = 0; u < info.units_size(); ++u) {
    const auto& options = info.targets(0).units(u).options();
    int option = static_cast<int>(random() % static_cast<unsigned>(options.size()));
    while (channel_only && options[option].group_size() != 0) option = (option + 1) % options.size();
    v1::UnitPlan& to = *plan.add_units();
    to.set_unit(info.units(u).name());
    *to.mutable_format() = options[option].format();
    to.set_bytes(options[option].bytes());
    to.set_predicted_loss(AnyNumber(random));
    plan.set_weight_bytes(plan.weight_bytes() + to.bytes());
  }
  plan.set_predicted_loss(AnyNumber(random));
  return plan;
}

v1::Candidate RandomCandidate(std::mt19937& random) {
  v1::Candidate candidate;
  candidate.set_average_bits(AnyNumber(random));
  auto& kl = *candidate.mutable_kl_divergence();
  kl.set_mean(AnyNumber(random));
  kl.set_standard_error(AnyNumber(random));
  kl.set_median(AnyNumber(random));
  kl.set_p99(AnyNumber(random));
  kl.set_max(AnyNumber(random));
  candidate.set_perplexity(AnyNumber(random));
  candidate.set_perplexity_standard_error(AnyNumber(random));
  candidate.set_top1_agreement(AnyNumber(random));
  return candidate;
}

v1::Selection RandomSelection(std::mt19937& random) {
  v1::Selection selection;
  selection.set_scored_tokens(static_cast<int64_t>(random()) % limits::kMaxDataTokens);
  selection.mutable_reference()->set_perplexity(AnyNumber(random));
  return selection;
}

v1::CardFacts RandomCard(const v1::ModelInfo& info, std::mt19937& random) {
  v1::CardFacts card;
  for (int i = 0; i < limits::kMaxDisplayNameBytes; ++i) {
    card.mutable_model()->push_back(random() % 2 ? '"' : static_cast<char>(random() % 31 + 1));
  }
  card.set_recipe(std::string(64, 'x'));
  card.set_calibration_tokens(limits::kMaxDataTokens);
  card.set_evaluation_tokens(limits::kMaxDataTokens);
  card.set_window(static_cast<int32_t>(info.max_positions()));
  card.set_evaluation_compute(random() % 2 ? v1::COMPUTE_TYPE_BF16 : v1::COMPUTE_TYPE_F32);
  return card;
}

}  // namespace bitwright::worker
