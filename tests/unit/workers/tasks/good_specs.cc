#include "tests/unit/workers/tasks/good_specs.h"

#include <algorithm>
#include <string>

#include "proto/base/log.h"
#include "proto/contract/task_names.h"

namespace bitwright::worker {
namespace {

v1::TaskSpec Spec(const std::string& kind, std::vector<std::string> inputs) {
  v1::TaskSpec spec;
  spec.set_kind(kind);
  std::sort(inputs.begin(), inputs.end());
  for (const std::string& name : inputs) spec.add_inputs()->set_name(name);
  return spec;
}

std::vector<std::string> WithModel(std::vector<std::string> inputs) {
  inputs.insert(inputs.end(), {ModelFileName("config.json"), ModelFileName("model.safetensors")});
  return inputs;
}

template <typename Params>
void SetWindows(Params& params) {
  params.set_window(16);
  params.mutable_windows()->set_begin(1);
  params.mutable_windows()->set_end(4);
}

v1::Recipe GoodRecipe() {
  v1::Recipe recipe;
  recipe.set_name("good");
  recipe.mutable_rounding()->set_method(v1::ROUNDING_METHOD_GPTQ);
  recipe.mutable_rounding()->set_damping(0.01);
  recipe.mutable_sensitivity()->set_middle_bits(3);
  recipe.mutable_sensitivity()->add_checked_bits(2);
  recipe.mutable_formats()->add_bits(4);
  recipe.mutable_formats()->add_group_sizes(0);
  recipe.mutable_candidates()->set_uniform(2);
  return recipe;
}

void AddMeasuring(std::vector<v1::TaskSpec>& specs) {
  v1::TaskSpec spec = Spec(TaskKind::kInspect, WithModel({}));
  spec.mutable_inspect();
  specs.push_back(spec);
  spec = Spec(TaskKind::kImport, WithModel({}));
  spec.mutable_import();
  specs.push_back(spec);
  spec = Spec(TaskKind::kTokenize, {TaskFile::kData, ModelFileName("tokenizer.json")});
  spec.mutable_tokenize()->set_kind(v1::Data::TEXT);
  spec.mutable_tokenize()->set_window(16);
  spec.mutable_tokenize()->set_max_tokens(1000);
  spec.mutable_tokenize()->set_vocab_size(384);
  spec.mutable_tokenize()->set_held_out(4);
  specs.push_back(spec);
  spec = Spec(TaskKind::kReference, WithModel({TaskFile::kIds}));
  SetWindows(*spec.mutable_reference());
  spec.mutable_reference()->set_stride(3);
  spec.mutable_reference()->mutable_blocks()->set_end(2);
  specs.push_back(spec);
  spec = Spec(TaskKind::kCalibrate, WithModel({TaskFile::kIds, TaskFile::kActivations}));
  SetWindows(*spec.mutable_calibrate());
  spec.mutable_calibrate()->mutable_blocks()->set_begin(1);
  spec.mutable_calibrate()->mutable_blocks()->set_end(2);
  spec.mutable_calibrate()->set_compute(v1::COMPUTE_TYPE_BF16);
  specs.push_back(spec);
  spec = Spec(TaskKind::kMerge, {Numbered(TaskFile::kStatistics, 0), Numbered(TaskFile::kStatistics, 1)});
  spec.mutable_merge()->mutable_factoring()->set_damping(0.01);
  specs.push_back(spec);
  spec = Spec(TaskKind::kCurvature, WithModel({TaskFile::kIds, TaskFile::kActivations, TaskFile::kGradients}));
  SetWindows(*spec.mutable_curvature());
  spec.mutable_curvature()->set_stride(2);
  spec.mutable_curvature()->mutable_blocks()->set_begin(1);
  spec.mutable_curvature()->mutable_blocks()->set_end(2);
  specs.push_back(spec);
  spec = Spec(TaskKind::kProfile, WithModel({TaskFile::kStatistics, Numbered(TaskFile::kCurvature, 0)}));
  spec.mutable_profile()->mutable_blocks()->set_end(2);
  *spec.mutable_profile()->mutable_recipe() = GoodRecipe();
  specs.push_back(spec);
  spec = Spec(TaskKind::kCheck,
              WithModel({TaskFile::kIds, TaskFile::kHidden, TaskFile::kStatistics, Numbered(TaskFile::kCurvature, 0)}));
  SetWindows(*spec.mutable_check());
  spec.mutable_check()->mutable_blocks()->set_end(2);
  *spec.mutable_check()->mutable_recipe() = GoodRecipe();
  spec.mutable_check()->add_units("model.layers.0.mlp.down_proj");
  specs.push_back(spec);
  spec =
      Spec(TaskKind::kAllocate, {TaskFile::kInfo, Numbered(TaskFile::kSensitivity, 0), Numbered(TaskFile::kChecks, 0)});
  spec.mutable_allocate()->mutable_budget()->set_average_bits(4.4);
  *spec.mutable_allocate()->mutable_recipe() = GoodRecipe();
  specs.push_back(spec);
}

void AddComparing(std::vector<v1::TaskSpec>& specs) {
  v1::TaskSpec spec = Spec(TaskKind::kQuantize, WithModel({TaskFile::kStatistics}));
  spec.mutable_quantize()->mutable_blocks()->set_end(1);
  v1::QuantizeParams::Unit& unit = *spec.mutable_quantize()->add_units();
  unit.set_name("model.layers.0.mlp.down_proj");
  for (const int bits : {3, 4}) {
    v1::IntegerFormat& format = *unit.add_formats()->mutable_integer();
    format.set_bits(bits);
    format.set_group_size(32);
  }
  specs.push_back(spec);
  spec = Spec(TaskKind::kEvaluate, WithModel({TaskFile::kIds, TaskFile::kHidden, Numbered(TaskFile::kWeights, 0)}));
  SetWindows(*spec.mutable_evaluate());
  specs.push_back(spec);
  spec = Spec(TaskKind::kChoose,
              {TaskFile::kInfo, TaskFile::kAllocation, Numbered(TaskFile::kTokens, 0), Numbered(TaskFile::kTokens, 1)});
  spec.mutable_choose()->set_candidates(2);
  spec.mutable_choose()->set_window(16);
  specs.push_back(spec);
  spec = Spec(TaskKind::kProbe, {TaskFile::kInfo, TaskFile::kAllocation, Numbered(TaskFile::kTokens, 0)});
  spec.mutable_probe()->set_plan(1);
  spec.mutable_probe()->set_window(16);
  specs.push_back(spec);
  spec = Spec(TaskKind::kQuestions, {TaskFile::kData, ModelFileName("tokenizer.json")});
  spec.mutable_questions()->set_max_positions(64);
  spec.mutable_questions()->set_vocab_size(384);
  specs.push_back(spec);
  spec = Spec(TaskKind::kScore, WithModel({TaskFile::kQuestions, Numbered(TaskFile::kWeights, 0)}));
  spec.mutable_score()->mutable_sequences()->set_begin(1);
  spec.mutable_score()->mutable_sequences()->set_end(9);
  spec.mutable_score()->set_window(16);
  spec.mutable_score()->set_quantized(true);
  specs.push_back(spec);
  spec = Spec(TaskKind::kSample, WithModel({TaskFile::kIds, TaskFile::kSample, ModelFileName("tokenizer.json"),
                                            Numbered(TaskFile::kWeights, 0)}));
  spec.mutable_sample()->set_prompt_tokens(8);
  spec.mutable_sample()->set_tokens(8);
  spec.mutable_sample()->set_quantized(true);
  specs.push_back(spec);
  spec = Spec(TaskKind::kGrade, {TaskFile::kQuestions, Numbered(TaskFile::kScores, 0), Numbered(TaskFile::kScores, 1)});
  spec.mutable_grade()->set_shards(2);
  specs.push_back(spec);
  spec = Spec(TaskKind::kSelect, WithModel({TaskFile::kInfo, TaskFile::kAllocation, TaskFile::kChoice,
                                            Numbered(TaskFile::kTokens, 0, 0), Numbered(TaskFile::kTokens, 0, 1)}));
  spec.mutable_select()->mutable_budget()->set_artifact_bytes(1 << 20);
  spec.mutable_select()->add_plans(2);
  spec.mutable_select()->set_shards(2);
  specs.push_back(spec);
  spec =
      Spec(TaskKind::kAssemble,
           WithModel({TaskFile::kInfo, TaskFile::kAllocation, TaskFile::kSelection, Numbered(TaskFile::kWeights, 0)}));
  spec.mutable_assemble()->set_candidate(1);
  specs.push_back(spec);
  spec = Spec(TaskKind::kReport,
              {TaskFile::kInfo, TaskFile::kAllocation, TaskFile::kPrices, TaskFile::kSelection, TaskFile::kManifest,
               TaskFile::kProvenance, Numbered(TaskFile::kGrade, 0, 0), Numbered(TaskFile::kGrade, 0, 1),
               Numbered(TaskFile::kSample, 0), Numbered(TaskFile::kSample, 1)});
  spec.mutable_report()->mutable_spec()->add_choices()->set_display_name("arc.jsonl");
  spec.mutable_report()->mutable_spec()->mutable_sample()->set_tokens(8);
  spec.mutable_report()->set_model_display_name("small");
  *spec.mutable_report()->mutable_recipe() = GoodRecipe();
  specs.push_back(spec);
}

}  // namespace

std::vector<v1::TaskSpec> GoodSpecs() {
  std::vector<v1::TaskSpec> specs;
  AddMeasuring(specs);
  AddComparing(specs);
  return specs;
}

v1::TaskSpec GoodSpec(v1::TaskSpec::ParamsCase kind) {
  for (const v1::TaskSpec& spec : GoodSpecs()) {
    if (spec.params_case() == kind) return spec;
  }
  LOG(FATAL) << "no spec of kind " << static_cast<int>(kind);
  return {};
}

}  // namespace bitwright::worker
