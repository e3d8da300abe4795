#include "workers/tasks/spec_check.h"

#include <cmath>
#include <functional>
#include <limits>

#include "proto/contract/limits.h"
#include "proto/contract/task_names.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/good_specs.h"
#include "workers/base/files.h"
#include "workers/tasks/run_task.h"

namespace bitwright::worker {
namespace {

using Spec = v1::TaskSpec;

constexpr int kMost = std::numeric_limits<int32_t>::max();
constexpr int kLeast = std::numeric_limits<int32_t>::min();

// One change that makes a good spec a bad one, and the field that the refusal names.
struct Fault {
  Spec::ParamsCase kind;
  const char* field;
  std::function<void(Spec&)> change;
};

void ExpectRefusals(const std::vector<Fault>& faults) {
  for (size_t i = 0; i < faults.size(); ++i) {
    Spec spec = GoodSpec(faults[i].kind);
    faults[i].change(spec);
    const absl::Status status = CheckSpec(spec);
    ASSERT_THAT(status, HasReason("TASK_SPEC_INVALID")) << i << " " << faults[i].field;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    const auto metadata = GetErrorDetail(status)->metadata;
    EXPECT_EQ(metadata.at("field"), faults[i].field) << i;
    EXPECT_TRUE(metadata.contains("value")) << i;
    EXPECT_NE(metadata.at("limit"), "") << i;
  }
}

TEST(CheckSpec, AcceptsAGoodOneOfEveryKind) {
  const std::vector<Spec> specs = GoodSpecs();
  EXPECT_EQ(static_cast<int>(specs.size()), Spec::descriptor()->FindOneofByName("params")->field_count());
  for (const Spec& spec : specs) EXPECT_THAT(CheckSpec(spec), IsOk()) << spec.kind();
}

TEST(CheckSpec, TokenizeIsHeldToItsNumbers) {
  const auto kind = Spec::kTokenize;
  std::vector<Fault> faults;
  for (const int bad : {0, 1, -1, kLeast, kMost}) {
    faults.push_back({kind, "window", [=](Spec& spec) { spec.mutable_tokenize()->set_window(bad); }});
  }
  for (const int64_t bad : {int64_t{0}, int64_t{-5}, limits::kMaxDataTokens + 1}) {
    faults.push_back({kind, "max_tokens", [=](Spec& spec) { spec.mutable_tokenize()->set_max_tokens(bad); }});
  }
  for (const int64_t bad : {int64_t{0}, int64_t{-1}, int64_t{1} << 40}) {
    faults.push_back({kind, "vocab_size", [=](Spec& spec) { spec.mutable_tokenize()->set_vocab_size(bad); }});
  }
  for (const int bad : {0, 4, -1}) {
    faults.push_back(
        {kind, "kind", [=](Spec& spec) { spec.mutable_tokenize()->set_kind(static_cast<v1::Data::Kind>(bad)); }});
  }
  ExpectRefusals(faults);
}

// The kinds that run windows of ids through blocks; `params` gives those of the kind.
template <typename Params>
std::vector<Fault> WindowFaults(Spec::ParamsCase kind, Params* (Spec::*params)()) {
  std::vector<Fault> faults;
  for (const int bad : {0, 1, -16, kLeast, kMost}) {
    faults.push_back({kind, "window", [=](Spec& spec) { (spec.*params)()->set_window(bad); }});
  }
  for (const int bad : {-1, kLeast, kMost}) {
    faults.push_back({kind, "windows.begin", [=](Spec& spec) { (spec.*params)()->mutable_windows()->set_begin(bad); }});
  }
  for (const int bad : {-1, 0, 1, kMost}) {  // begin is 1
    faults.push_back({kind, "windows.end", [=](Spec& spec) { (spec.*params)()->mutable_windows()->set_end(bad); }});
  }
  return faults;
}

template <typename Params>
std::vector<Fault> BlockFaults(Spec::ParamsCase kind, Params* (Spec::*params)()) {
  return {{kind, "blocks.begin", [=](Spec& spec) { (spec.*params)()->mutable_blocks()->set_begin(-1); }},
          {kind, "blocks.begin", [=](Spec& spec) { (spec.*params)()->mutable_blocks()->set_begin(kMost); }},
          {kind, "blocks.end", [=](Spec& spec) { (spec.*params)()->mutable_blocks()->set_begin(7); }},
          {kind, "blocks.end", [=](Spec& spec) { (spec.*params)()->mutable_blocks()->set_end(kLeast); }}};
}

TEST(CheckSpec, WindowsLieWithinTheLongestText) {
  ExpectRefusals(WindowFaults(Spec::kReference, &Spec::mutable_reference));
  ExpectRefusals(WindowFaults(Spec::kCalibrate, &Spec::mutable_calibrate));
  ExpectRefusals(WindowFaults(Spec::kCurvature, &Spec::mutable_curvature));
  ExpectRefusals(WindowFaults(Spec::kCheck, &Spec::mutable_check));
  ExpectRefusals(WindowFaults(Spec::kEvaluate, &Spec::mutable_evaluate));
  ExpectRefusals({{Spec::kReference, "stride", [](Spec& spec) { spec.mutable_reference()->set_stride(-1); }},
                  {Spec::kReference, "stride", [](Spec& spec) { spec.mutable_reference()->set_stride(kMost); }},
                  {Spec::kCurvature, "stride", [](Spec& spec) { spec.mutable_curvature()->set_stride(1 << 27); }},
                  {Spec::kCheck, "windows.end", [](Spec& spec) { spec.mutable_check()->set_stride(1 << 23); }}});
}

TEST(CheckSpec, BlocksAreARange) {
  ExpectRefusals(BlockFaults(Spec::kReference, &Spec::mutable_reference));
  ExpectRefusals(BlockFaults(Spec::kCalibrate, &Spec::mutable_calibrate));
  ExpectRefusals(BlockFaults(Spec::kCurvature, &Spec::mutable_curvature));
  ExpectRefusals(BlockFaults(Spec::kCheck, &Spec::mutable_check));
  ExpectRefusals(BlockFaults(Spec::kProfile, &Spec::mutable_profile));
  ExpectRefusals(BlockFaults(Spec::kQuantize, &Spec::mutable_quantize));
}

TEST(CheckSpec, QuestionsAreHeldToTheirNumbers) {
  ExpectRefusals(
      {{Spec::kQuestions, "max_questions", [](Spec& spec) { spec.mutable_questions()->set_max_questions(-1); }},
       {Spec::kQuestions, "max_positions", [](Spec& spec) { spec.mutable_questions()->set_max_positions(0); }},
       {Spec::kQuestions, "vocab_size", [](Spec& spec) { spec.mutable_questions()->set_vocab_size(0); }},
       {Spec::kScore, "window", [](Spec& spec) { spec.mutable_score()->set_window(0); }},
       {Spec::kScore, "window", [](Spec& spec) { spec.mutable_score()->set_window(kMost); }},
       {Spec::kScore, "sequences.begin", [](Spec& spec) { spec.mutable_score()->mutable_sequences()->set_begin(-1); }},
       {Spec::kScore, "sequences.end", [](Spec& spec) { spec.mutable_score()->mutable_sequences()->set_end(1); }},
       {Spec::kScore, "sequences.end", [](Spec& spec) { spec.mutable_score()->mutable_sequences()->set_end(kMost); }},
       {Spec::kScore, "inputs", [](Spec& spec) { spec.mutable_score()->set_quantized(false); }},
       {Spec::kGrade, "shards", [](Spec& spec) { spec.mutable_grade()->set_shards(0); }},
       {Spec::kGrade, "inputs", [](Spec& spec) { spec.mutable_grade()->set_shards(1); }},
       {Spec::kReport, "inputs", [](Spec& spec) { spec.mutable_report()->mutable_spec()->clear_choices(); }},
       {Spec::kReport, "spec.choices.size", [](Spec& spec) {
          for (int f = 0; f < 8; ++f) spec.mutable_report()->mutable_spec()->add_choices();
        }}});
}

TEST(CheckSpec, SamplesAreHeldToTheirNumbers) {
  ExpectRefusals(
      {{Spec::kSample, "tokens", [](Spec& spec) { spec.mutable_sample()->set_tokens(0); }},
       {Spec::kSample, "tokens", [](Spec& spec) { spec.mutable_sample()->set_tokens(513); }},
       {Spec::kSample, "prompt_tokens", [](Spec& spec) { spec.mutable_sample()->set_prompt_tokens(0); }},
       {Spec::kSample, "prompt.size", [](Spec& spec) { spec.mutable_sample()->set_prompt(std::string(4097, 'x')); }},
       {Spec::kSample, "inputs", [](Spec& spec) { spec.mutable_sample()->set_prompt("ids are not read"); }},
       {Spec::kSample, "inputs", [](Spec& spec) { spec.mutable_sample()->set_quantized(false); }},
       {Spec::kReport, "inputs", [](Spec& spec) { spec.mutable_report()->mutable_spec()->clear_sample(); }}});
}

TEST(CheckSpec, EnumerationsAreKnown) {
  const auto compute = static_cast<v1::ComputeType>(9);
  ExpectRefusals({{Spec::kReference, "compute", [=](Spec& spec) { spec.mutable_reference()->set_compute(compute); }},
                  {Spec::kCalibrate, "compute", [=](Spec& spec) { spec.mutable_calibrate()->set_compute(compute); }},
                  {Spec::kEvaluate, "compute", [=](Spec& spec) { spec.mutable_evaluate()->set_compute(compute); }},
                  {Spec::kScore, "compute", [=](Spec& spec) { spec.mutable_score()->set_compute(compute); }},
                  {Spec::kSample, "compute", [=](Spec& spec) { spec.mutable_sample()->set_compute(compute); }},
                  {Spec::kSelect, "card.evaluation_compute",
                   [=](Spec& spec) { spec.mutable_select()->mutable_card()->set_evaluation_compute(compute); }},
                  {Spec::kAssemble, "card.evaluation_compute",
                   [=](Spec& spec) { spec.mutable_assemble()->mutable_card()->set_evaluation_compute(compute); }},
                  {Spec::kQuantize, "rounding.method",
                   [](Spec& spec) {
                     spec.mutable_quantize()->mutable_rounding()->set_method(static_cast<v1::RoundingMethod>(7));
                   }},
                  {Spec::kQuantize, "rounding.scales", [](Spec& spec) {
                     spec.mutable_quantize()->mutable_rounding()->set_scales(static_cast<v1::ScaleMethod>(-1));
                   }}});
}

TEST(CheckSpec, FactorsAreDampedWithAShare) {
  for (const double damping : {-0.1, 1.1, std::nan(""), static_cast<double>(INFINITY)}) {
    const char* field = "factoring.damping";
    ExpectRefusals(
        {{Spec::kMerge, field, [=](Spec& spec) { spec.mutable_merge()->mutable_factoring()->set_damping(damping); }},
         {Spec::kCalibrate, field,
          [=](Spec& spec) { spec.mutable_calibrate()->mutable_factoring()->set_damping(damping); }}});
  }
}

TEST(CheckSpec, RecipesAreHeldToTheirLimitsWhereverTheyAre) {
  const std::vector<std::pair<const char*, std::function<void(v1::Recipe&)>>> faults = {
      {"recipe.rounding.damping", [](v1::Recipe& r) { r.mutable_rounding()->set_damping(std::nan("")); }},
      {"recipe.rounding.damping", [](v1::Recipe& r) { r.mutable_rounding()->set_damping(-0.1); }},
      {"recipe.rounding.damping", [](v1::Recipe& r) { r.mutable_rounding()->set_damping(INFINITY); }},
      {"recipe.sensitivity.middle_bits", [](v1::Recipe& r) { r.mutable_sensitivity()->set_middle_bits(1); }},
      {"recipe.sensitivity.middle_bits", [](v1::Recipe& r) { r.mutable_sensitivity()->set_middle_bits(99); }},
      {"recipe.sensitivity.windows", [](v1::Recipe& r) { r.mutable_sensitivity()->set_windows(-1); }},
      {"recipe.sensitivity.checked_bits", [](v1::Recipe& r) { r.mutable_sensitivity()->add_checked_bits(31); }},
      {"recipe.sensitivity.checked_bits.size",
       [](v1::Recipe& r) {
         for (int i = 0; i < 1000; ++i) r.mutable_sensitivity()->add_checked_bits(2);
       }},
      {"recipe.sensitivity.checked_units", [](v1::Recipe& r) { r.mutable_sensitivity()->set_checked_units(-1); }},
      {"recipe.formats.bits", [](v1::Recipe& r) { r.mutable_formats()->add_bits(9); }},
      {"recipe.formats.group_sizes", [](v1::Recipe& r) { r.mutable_formats()->add_group_sizes(-32); }},
      {"recipe.formats.names", [](v1::Recipe& r) { r.mutable_formats()->add_names("int4-g48"); }},
      {"recipe.candidates.uniform", [](v1::Recipe& r) { r.mutable_candidates()->set_uniform(-1); }},
      {"recipe.evaluation.compute",
       [](v1::Recipe& r) { r.mutable_evaluation()->set_compute(static_cast<v1::ComputeType>(5)); }}};
  for (const auto& [field, change] : faults) {
    const auto& change_recipe = change;
    ExpectRefusals(
        {{Spec::kProfile, field, [&](Spec& spec) { change_recipe(*spec.mutable_profile()->mutable_recipe()); }},
         {Spec::kCheck, field, [&](Spec& spec) { change_recipe(*spec.mutable_check()->mutable_recipe()); }},
         {Spec::kAllocate, field, [&](Spec& spec) { change_recipe(*spec.mutable_allocate()->mutable_recipe()); }},
         {Spec::kReport, field, [&](Spec& spec) { change_recipe(*spec.mutable_report()->mutable_recipe()); }}});
  }
}

TEST(CheckSpec, BudgetsArePositiveAndBounded) {
  std::vector<Fault> faults = {{Spec::kAllocate, "budget", [](Spec& s) { s.mutable_allocate()->clear_budget(); }},
                               {Spec::kSelect, "budget", [](Spec& s) { s.mutable_select()->clear_budget(); }}};
  for (const double bad : {0.0, -4.0, 1e300, std::nan("")}) {
    faults.push_back({Spec::kAllocate, "budget.average_bits",
                      [=](Spec& s) { s.mutable_allocate()->mutable_budget()->set_average_bits(bad); }});
  }
  for (const int64_t bad : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    faults.push_back({Spec::kSelect, "budget.artifact_bytes",
                      [=](Spec& s) { s.mutable_select()->mutable_budget()->set_artifact_bytes(bad); }});
  }
  ExpectRefusals(faults);
}

TEST(CheckSpec, PlansHaveFormatsThatThereAre) {
  const auto format = [](Spec& spec) {
    return spec.mutable_quantize()->mutable_units(0)->mutable_formats(1)->mutable_integer();
  };
  const auto unit = [](Spec& spec) { return spec.mutable_quantize()->mutable_units(0); };
  ExpectRefusals({{Spec::kQuantize, "units", [](Spec& spec) { spec.mutable_quantize()->clear_units(); }},
                  {Spec::kQuantize, "units.formats.size", [=](Spec& spec) { unit(spec)->clear_formats(); }},
                  {Spec::kQuantize, "units.formats.size",
                   [](Spec& spec) {
                     auto* units = spec.mutable_quantize()->mutable_units();
                     *units->Add() = units->Get(0);
                     units->Mutable(1)->mutable_formats()->RemoveLast();
                   }},
                  {Spec::kQuantize, "units.formats", [=](Spec& spec) { format(spec)->set_bits(0); }},
                  {Spec::kQuantize, "units.formats", [=](Spec& spec) { format(spec)->set_bits(33); }},
                  {Spec::kQuantize, "units.formats", [=](Spec& spec) { format(spec)->set_group_size(-1); }},
                  {Spec::kQuantize, "units.formats", [=](Spec& spec) { format(spec)->set_group_size(7); }}});
}

TEST(CheckSpec, CandidatesAndShardsAreCounted) {
  ExpectRefusals({{Spec::kSelect, "plans.size", [](Spec& spec) { spec.mutable_select()->clear_plans(); }},
                  {Spec::kSelect, "plans", [](Spec& spec) { spec.mutable_select()->set_plans(0, -1); }},
                  {Spec::kSelect, "plans", [](Spec& spec) { spec.mutable_select()->set_plans(0, kMost); }},
                  {Spec::kSelect, "plans", [](Spec& spec) { spec.mutable_select()->add_plans(2); }},
                  {Spec::kChoose, "candidates", [](Spec& spec) { spec.mutable_choose()->set_candidates(0); }},
                  {Spec::kChoose, "candidates", [](Spec& spec) { spec.mutable_choose()->set_candidates(kMost); }},
                  {Spec::kChoose, "window", [](Spec& spec) { spec.mutable_choose()->set_window(1); }},
                  {Spec::kProbe, "plan", [](Spec& spec) { spec.mutable_probe()->set_plan(-1); }},
                  {Spec::kProbe, "plan", [](Spec& spec) { spec.mutable_probe()->set_plan(kMost); }},
                  {Spec::kProbe, "window", [](Spec& spec) { spec.mutable_probe()->set_window(0); }},
                  {Spec::kTokenize, "held_out", [](Spec& spec) { spec.mutable_tokenize()->set_held_out(-1); }},
                  {Spec::kSelect, "shards", [](Spec& spec) { spec.mutable_select()->set_shards(0); }},
                  {Spec::kSelect, "shards", [](Spec& spec) { spec.mutable_select()->set_shards(100'000); }},
                  {Spec::kSelect, "inputs", [](Spec& spec) { spec.mutable_select()->set_shards(1); }},
                  {Spec::kAssemble, "candidate", [](Spec& spec) { spec.mutable_assemble()->set_candidate(-1); }}});
  Spec spec = GoodSpec(Spec::kSelect);
  spec.mutable_select()->add_plans(3);
  EXPECT_THAT(CheckSpec(spec), HasReason("TASK_INPUT_MISSING"));
}

TEST(CheckSpec, EveryInputThatIsNeededIsMissed) {
  for (const Spec& good : GoodSpecs()) {
    for (int i = 0; i < good.inputs_size(); ++i) {
      const std::string& name = good.inputs(i).name();
      if (name == ModelFileName("model.safetensors")) continue;  // which files a model has, the model says
      if (name == ModelFileName("config.json") && !good.has_select() && !good.has_assemble()) continue;
      if (name == Numbered(TaskFile::kStatistics, 1)) continue;                 // any number of shards is right
      if (name == TaskFile::kGradients || name == TaskFile::kChoice) continue;  // there need be none
      if (good.has_sample() && (name == TaskFile::kSample || name == ModelFileName("tokenizer.json"))) continue;
      Spec spec = good;
      spec.mutable_inputs()->DeleteSubrange(i, 1);
      EXPECT_THAT(CheckSpec(spec), HasReason("TASK_INPUT_MISSING")) << spec.kind() << " without " << name;
    }
  }
}

TEST(CheckSpec, SurplusDoubledAndUnsortedInputsAreRefused) {
  for (const Spec& good : GoodSpecs()) {
    for (const std::string& name : {std::string("zoo"), Numbered("zoo", 0), std::string(kModelFilePrefix)}) {
      Spec spec = good;
      spec.add_inputs()->set_name(name);
      EXPECT_THAT(CheckSpec(spec), HasReason("TASK_SPEC_INVALID")) << spec.kind() << " with " << name;
    }
    Spec doubled = good;
    *doubled.add_inputs() = good.inputs(good.inputs_size() - 1);
    EXPECT_THAT(CheckSpec(doubled), HasReason("TASK_SPEC_INVALID")) << good.kind();
    Spec unnamed = good;
    unnamed.mutable_inputs(0)->clear_name();
    EXPECT_THAT(CheckSpec(unnamed), HasReason("TASK_SPEC_INVALID")) << good.kind();
  }
  Spec gap = GoodSpec(Spec::kMerge);
  gap.mutable_inputs(1)->set_name(Numbered(TaskFile::kStatistics, 2));
  EXPECT_THAT(CheckSpec(gap), HasReason("TASK_SPEC_INVALID"));
  Spec unsorted = GoodSpec(Spec::kMerge);
  unsorted.mutable_inputs()->SwapElements(0, 1);
  EXPECT_THAT(CheckSpec(unsorted), HasReason("TASK_SPEC_INVALID"));
}

TEST(CheckSpec, PiecesCanBeMappedAndLieWithinTheirFile) {
  const auto with = [](std::vector<std::pair<int64_t, int64_t>> pieces, const std::string& sha = std::string(64, 'a')) {
    return [=](Spec& spec) {
      for (auto& input : *spec.mutable_inputs()) {
        if (input.name() != "model/config.json") continue;
        input.mutable_digest()->set_size_bytes(10'000);
        for (const auto& [offset, size] : pieces) {
          auto* piece = input.add_pieces();
          piece->set_offset(offset);
          piece->mutable_digest()->set_sha256(sha);
          piece->mutable_digest()->set_size_bytes(size);
        }
      }
    };
  };
  const char *offset = "inputs.pieces.offset", *size = "inputs.pieces.digest.size_bytes";
  ExpectRefusals({{Spec::kAssemble, offset, with({{100, 10}})},
                  {Spec::kAssemble, offset, with({{-4096, 10}})},
                  {Spec::kAssemble, offset, with({{4096, 10}, {0, 10}})},
                  {Spec::kAssemble, size, with({{8192, 1809}})},
                  {Spec::kAssemble, size, with({{8192, 0}})},
                  {Spec::kAssemble, size, with({{8192, -1}})},
                  {Spec::kAssemble, size, with({{8192, INT64_MAX}})},
                  {Spec::kAssemble, size, with({{12288, 1}})},
                  {Spec::kAssemble, "inputs.pieces.digest.sha256", with({{0, 10}}, "../../etc/passwd")}});
  Spec good = GoodSpec(Spec::kAssemble);
  with({{0, 4096}, {0, 4096}, {4096, 5904}})(good);
  EXPECT_THAT(CheckSpec(good), IsOk());
}

TEST(CheckSpec, TheNameIsThatOfTheParams) {
  Spec spec = GoodSpec(Spec::kMerge);
  spec.set_kind(TaskKind::kReport);
  EXPECT_THAT(CheckSpec(spec), HasReason("TASK_SPEC_INVALID"));
  spec.clear_kind();
  EXPECT_THAT(CheckSpec(spec), IsOk());
  EXPECT_THAT(CheckSpec(Spec()), HasReason("TASK_KIND_UNKNOWN"));
}

ModelConfig TwoBlocks() {
  const auto config = ParseModelConfig(
      R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
          "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 384, "max_position_embeddings": 64})");
  EXPECT_THAT(config, IsOk());
  return *config;
}

TEST(CheckSpecFits, BlocksWindowsAndFormatsAreThoseOfTheModel) {
  for (const Spec& spec : GoodSpecs()) EXPECT_THAT(CheckSpecFits(spec, TwoBlocks()), IsOk()) << spec.kind();
  const auto refused = [](Spec::ParamsCase kind, const std::string& field, const auto& change) {
    Spec spec = GoodSpec(kind);
    change(spec);
    ASSERT_THAT(CheckSpec(spec), IsOk()) << "without a model nothing is wrong with it";
    const absl::Status status = CheckSpecFits(spec, TwoBlocks());
    ASSERT_THAT(status, HasReason("TASK_SPEC_INVALID")) << field;
    EXPECT_EQ(GetErrorDetail(status)->metadata.at("field"), field);
  };
  refused(Spec::kCalibrate, "blocks.end", [](Spec& s) { s.mutable_calibrate()->mutable_blocks()->set_end(3); });
  refused(Spec::kProfile, "blocks.end", [](Spec& s) { s.mutable_profile()->mutable_blocks()->set_end(3); });
  refused(Spec::kReference, "blocks.end", [](Spec& s) { s.mutable_reference()->mutable_blocks()->set_end(3); });
  refused(Spec::kCurvature, "blocks.end", [](Spec& s) { s.mutable_curvature()->mutable_blocks()->set_end(3); });
  refused(Spec::kCheck, "blocks.end", [](Spec& s) { s.mutable_check()->mutable_blocks()->set_end(3); });
  refused(Spec::kQuantize, "blocks.end", [](Spec& s) { s.mutable_quantize()->mutable_blocks()->set_end(3); });
  refused(Spec::kReference, "window", [](Spec& s) { s.mutable_reference()->set_window(65); });
  refused(Spec::kCalibrate, "window", [](Spec& s) { s.mutable_calibrate()->set_window(65); });
  refused(Spec::kCurvature, "window", [](Spec& s) { s.mutable_curvature()->set_window(65); });
  refused(Spec::kCheck, "window", [](Spec& s) { s.mutable_check()->set_window(65); });
  refused(Spec::kEvaluate, "window", [](Spec& s) { s.mutable_evaluate()->set_window(65); });
  refused(Spec::kScore, "window", [](Spec& s) { s.mutable_score()->set_window(65); });
  refused(Spec::kSample, "prompt_tokens", [](Spec& s) { s.mutable_sample()->set_prompt_tokens(57); });
  refused(Spec::kProfile, "recipe.formats",
          [](Spec& s) { s.mutable_profile()->mutable_recipe()->mutable_formats()->set_group_sizes(0, 128); });
}

// What the fuzzer begins with. BITWRIGHT_UPDATE_GOLDEN=1 writes it anew.
TEST(CheckSpec, TheCorpusHoldsAGoodSpecOfEveryKind) {
  for (const Spec& good : GoodSpecs()) {
    const std::string path = SourcePath("tests/fuzz/corpus/task_spec/" + good.kind());
    if (std::getenv("BITWRIGHT_UPDATE_GOLDEN") != nullptr) {
      ASSERT_THAT(WriteFile(path, good.SerializeAsString()), IsOk());
    }
    ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path));
    Spec spec;
    ASSERT_TRUE(spec.ParseFromString(bytes)) << good.kind();
    EXPECT_EQ(spec.params_case(), good.params_case());
    EXPECT_THAT(CheckSpec(spec), IsOk()) << good.kind();
  }
}

TEST(CheckSpec, RunTaskAsksItBeforeAnythingIsRead) {
  ThreadPool pool(1);
  TaskContext context;
  context.pool = &pool;
  context.progress = [](double) {};
  bool asked = false;
  context.input_path = [&](const std::string&) {
    asked = true;
    return std::string();
  };
  Spec spec = GoodSpec(Spec::kReference);
  spec.mutable_reference()->set_window(0);
  EXPECT_THAT(RunTask(spec, context), HasReason("TASK_SPEC_INVALID"));
  EXPECT_FALSE(asked);
  for (const Spec& good : GoodSpecs())
    EXPECT_THAT(RunTask(good, context), HasReason("TASK_INPUT_MISSING")) << good.kind();
}

}  // namespace
}  // namespace bitwright::worker
