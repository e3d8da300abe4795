#include "workers/tasks/spec_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "workers/formats/format.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/spec_inputs.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxNumber = 99'999;  // that Numbered can write
constexpr int kMaxBits = 32;            // per weight, of a budget: f32 itself
constexpr int kWidths = IntFormat::kMaxBits - IntFormat::kMinBits + 1;

std::string Text(double value) { return std::to_string(value); }
std::string Text(int64_t value) { return std::to_string(value); }

absl::Status CheckWithin(const std::string& field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return TaskSpecInvalidError(field, Text(value), Text(least) + " to " + Text(most));
}

// Half-open and not empty.
absl::Status CheckRange(const std::string& field, const v1::Range& range, int64_t most) {
  ABSL_RETURN_IF_ERROR(CheckWithin(field + ".begin", range.begin(), 0, most - 1));
  return CheckWithin(field + ".end", range.end(), int64_t{range.begin()} + 1, most);
}

// The ids that windows [begin, end), every stride-th of the text, lie within: all sizes follow from that.
absl::Status CheckWindows(const v1::Range& windows, int window, int stride) {
  ABSL_RETURN_IF_ERROR(CheckWithin("window", window, limits::kMinWindow, limits::kMaxDataTokens));
  ABSL_RETURN_IF_ERROR(CheckWithin("stride", stride, 0, limits::kMaxDataTokens));
  const int64_t each = int64_t{window} * std::max(stride, 1);  // below 2^59
  if (each > limits::kMaxDataTokens) {
    return TaskSpecInvalidError("stride", Text(int64_t{stride}),
                                "as many windows as lie within " + Text(limits::kMaxDataTokens) + " tokens");
  }
  return CheckRange("windows", windows, limits::kMaxDataTokens / each);
}

template <typename IsValid>
absl::Status CheckEnum(const std::string& field, int value, IsValid is_valid) {
  return is_valid(value) ? absl::OkStatus()
                         : TaskSpecInvalidError(field, Text(int64_t{value}), "a value of tasks.proto");
}

absl::Status CheckCompute(const std::string& field, int value) {
  return CheckEnum(field, value, v1::ComputeType_IsValid);
}

absl::Status CheckDamping(const std::string& field, double damping) {
  if (damping >= 0 && damping <= 1) return absl::OkStatus();  // false for what is no number
  return TaskSpecInvalidError(field, Text(damping), "0 to 1");
}

absl::Status CheckRounding(const std::string& field, const v1::Recipe::Rounding& rounding) {
  ABSL_RETURN_IF_ERROR(CheckEnum(field + ".method", rounding.method(), v1::RoundingMethod_IsValid));
  ABSL_RETURN_IF_ERROR(CheckEnum(field + ".scales", rounding.scales(), v1::ScaleMethod_IsValid));
  ABSL_RETURN_IF_ERROR(CheckEnum(field + ".sweeps", rounding.sweeps(), v1::Sweeps_IsValid));
  return CheckDamping(field + ".damping", rounding.damping());
}

template <typename Values>
absl::Status CheckWidths(const std::string& field, const Values& values) {
  ABSL_RETURN_IF_ERROR(CheckWithin(field + ".size", values.size(), 0, kWidths));
  for (const int bits : values) {
    ABSL_RETURN_IF_ERROR(CheckWithin(field, bits, IntFormat::kMinBits, IntFormat::kMaxBits));
  }
  return absl::OkStatus();
}

absl::Status CheckRecipe(const v1::Recipe& recipe) {
  ABSL_RETURN_IF_ERROR(CheckCompute("recipe.calibration.compute", recipe.calibration().compute()));
  ABSL_RETURN_IF_ERROR(CheckCompute("recipe.evaluation.compute", recipe.evaluation().compute()));
  ABSL_RETURN_IF_ERROR(CheckRounding("recipe.rounding", recipe.rounding()));
  const auto& sensitivity = recipe.sensitivity();
  if (sensitivity.middle_bits() != 0) {  // 0: the default
    ABSL_RETURN_IF_ERROR(CheckWithin("recipe.sensitivity.middle_bits", sensitivity.middle_bits(), IntFormat::kMinBits,
                                     IntFormat::kMaxBits));
  }
  ABSL_RETURN_IF_ERROR(CheckWithin("recipe.sensitivity.windows", sensitivity.windows(), 0, kMaxInt32));
  ABSL_RETURN_IF_ERROR(CheckWithin("recipe.sensitivity.checked_units", sensitivity.checked_units(), 0, kMaxInt32));
  ABSL_RETURN_IF_ERROR(CheckWidths("recipe.sensitivity.checked_bits", sensitivity.checked_bits()));
  ABSL_RETURN_IF_ERROR(CheckWidths("recipe.formats.bits", recipe.formats().bits()));
  for (const int size : recipe.formats().group_sizes()) {
    ABSL_RETURN_IF_ERROR(CheckWithin("recipe.formats.group_sizes", size, 0, kMaxInt32));
  }
  for (const std::string& name : recipe.formats().names()) {
    if (!ParseFormat(name).ok()) return TaskSpecInvalidError("recipe.formats.names", name, "names of formats");
  }
  for (const std::string& name : recipe.formats().ends()) {
    if (!ParseFormat(name).ok()) return TaskSpecInvalidError("recipe.formats.ends", name, "names of formats");
  }
  return CheckWithin("recipe.candidates.uniform", recipe.candidates().uniform(), 0, kMaxInt32);
}

absl::Status CheckTarget(const std::string& target) {
  if (FindTarget(target).ok()) return absl::OkStatus();
  return TaskSpecInvalidError("target", target, "a target that there is");
}

absl::Status CheckBound(const std::string& path, double bound) {
  if (std::isfinite(bound) && bound > 0) return absl::OkStatus();
  return TaskSpecInvalidError(path, Text(bound), "above 0, finite");
}

absl::Status CheckBudget(const v1::Budget& budget) {
  switch (budget.kind_case()) {
    case v1::Budget::kAverageBits:
      if (budget.average_bits() > 0 && budget.average_bits() <= kMaxBits) return absl::OkStatus();
      return TaskSpecInvalidError("budget.average_bits", Text(budget.average_bits()), "above 0, at most 32");
    case v1::Budget::kArtifactBytes:
      return CheckWithin("budget.artifact_bytes", budget.artifact_bytes(), 1, limits::kMaxBlobBytes);
    case v1::Budget::kMaxKlDivergence:
      return CheckBound("budget.max_kl_divergence", budget.max_kl_divergence());
    case v1::Budget::kMaxPerplexityRise:
      return CheckBound("budget.max_perplexity_rise", budget.max_perplexity_rise());
    case v1::Budget::KIND_NOT_SET:
      break;
  }
  return TaskSpecInvalidError("budget", "", "bits, bytes or a bound of quality");
}

absl::Status Check(const v1::InspectParams& params) {
  return CheckEnum("imported.form", params.imported().form(), v1::Import::Form_IsValid);
}

// TokenizeParams, or one of the texts behind the first.
template <typename Text>
absl::Status CheckText(const std::string& path, const Text& text) {
  ABSL_RETURN_IF_ERROR(CheckEnum(path + "kind", text.kind(), [](int kind) {
    return kind == v1::Data::TEXT || kind == v1::Data::TOKEN_IDS_JSONL || kind == v1::Data::DOCUMENTS_JSONL;
  }));
  ABSL_RETURN_IF_ERROR(CheckWithin(path + "max_tokens", text.max_tokens(), 1, limits::kMaxDataTokens));
  return CheckWithin(path + "held_out", text.held_out(), 0, limits::kMaxDataTokens);
}

absl::Status Check(const v1::TokenizeParams& params) {
  ABSL_RETURN_IF_ERROR(CheckText("", params));
  ABSL_RETURN_IF_ERROR(CheckWithin("window", params.window(), limits::kMinWindow, limits::kMaxDataTokens));
  ABSL_RETURN_IF_ERROR(CheckWithin("further.size", params.further_size(), 0, limits::kMaxTexts - 1));
  for (const auto& text : params.further()) ABSL_RETURN_IF_ERROR(CheckText("further.", text));
  return CheckWithin("vocab_size", params.vocab_size(), 1, kMaxInt32);
}

absl::Status Check(const v1::ReferenceParams& params) {
  ABSL_RETURN_IF_ERROR(CheckCompute("compute", params.compute()));
  ABSL_RETURN_IF_ERROR(CheckRange("blocks", params.blocks(), kMaxInt32));
  return CheckWindows(params.windows(), params.window(), params.stride());
}

absl::Status Check(const v1::CalibrateParams& params) {
  ABSL_RETURN_IF_ERROR(CheckCompute("compute", params.compute()));
  ABSL_RETURN_IF_ERROR(CheckRange("blocks", params.blocks(), kMaxInt32));
  ABSL_RETURN_IF_ERROR(CheckDamping("factoring.damping", params.factoring().damping()));
  return CheckWindows(params.windows(), params.window(), 1);
}

absl::Status Check(const v1::CurvatureParams& params) {
  ABSL_RETURN_IF_ERROR(CheckRange("blocks", params.blocks(), kMaxInt32));
  return CheckWindows(params.windows(), params.window(), params.stride());
}

absl::Status Check(const v1::ProfileParams& params) {
  if (params.ends()) {
    v1::Range windows;
    windows.set_end(params.windows());
    ABSL_RETURN_IF_ERROR(CheckWindows(windows, params.window(), 1));
  } else {
    ABSL_RETURN_IF_ERROR(CheckRange("blocks", params.blocks(), kMaxInt32));
  }
  ABSL_RETURN_IF_ERROR(CheckTarget(params.target()));
  return CheckRecipe(params.recipe());
}

absl::Status Check(const v1::CheckParams& params) {
  ABSL_RETURN_IF_ERROR(CheckRange("blocks", params.blocks(), kMaxInt32));
  ABSL_RETURN_IF_ERROR(CheckRecipe(params.recipe()));
  if (params.units().empty()) return TaskSpecInvalidError("units", "", "a unit to measure");
  return CheckWindows(params.windows(), params.window(), params.stride());
}

absl::Status Check(const v1::AllocateParams& params) {
  ABSL_RETURN_IF_ERROR(CheckBudget(params.budget()));
  ABSL_RETURN_IF_ERROR(CheckTarget(params.target()));
  return CheckRecipe(params.recipe());
}

absl::Status Check(const v1::QuantizeParams& params) {
  if (!params.ends()) ABSL_RETURN_IF_ERROR(CheckRange("blocks", params.blocks(), kMaxInt32));
  ABSL_RETURN_IF_ERROR(CheckRounding("rounding", params.rounding()));
  if (params.units().empty()) return TaskSpecInvalidError("units", "", "the formats of every unit of the blocks");
  const int plans = params.units(0).formats_size();
  ABSL_RETURN_IF_ERROR(CheckWithin("units.formats.size", plans, 1, kMaxNumber));
  for (const v1::QuantizeParams::Unit& unit : params.units()) {
    ABSL_RETURN_IF_ERROR(CheckWithin("units.formats.size", unit.formats_size(), plans, plans));
    for (const v1::Format& format : unit.formats()) {
      if (UnitFormatsOf(format).ok()) continue;
      return TaskSpecInvalidError("units.formats", unit.name() + ": " + format.ShortDebugString(),
                                  "integers of 2 to 8 bits in groups of 32, 64, 128 or 0, or a type of blocks");
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::EvaluateParams& params) {
  ABSL_RETURN_IF_ERROR(CheckCompute("compute", params.compute()));
  return CheckWindows(params.windows(), params.window(), 1);
}

absl::Status Check(const v1::ChooseParams& params) {
  ABSL_RETURN_IF_ERROR(CheckWithin("candidates", params.candidates(), 1, kMaxNumber));
  ABSL_RETURN_IF_ERROR(CheckTarget(params.target()));
  return CheckWithin("window", params.window(), limits::kMinWindow, limits::kMaxDataTokens);
}

absl::Status Check(const v1::ProbeParams& params) {
  ABSL_RETURN_IF_ERROR(CheckWithin("plan", params.plan(), 0, kMaxNumber));
  ABSL_RETURN_IF_ERROR(CheckTarget(params.target()));
  return CheckWithin("window", params.window(), limits::kMinWindow, limits::kMaxDataTokens);
}

// Together all shards, where they are of several texts.
absl::Status CheckTextShards(const v1::SelectParams& params) {
  if (params.text_shards().empty()) return absl::OkStatus();
  ABSL_RETURN_IF_ERROR(CheckWithin("text_shards.size", params.text_shards_size(), 1, limits::kMaxTexts));
  int64_t sum = 0;
  for (const int shards : params.text_shards()) {
    ABSL_RETURN_IF_ERROR(CheckWithin("text_shards", shards, 1, kMaxNumber));
    sum += shards;
  }
  return CheckWithin("the sum of text_shards", sum, params.shards(), params.shards());
}

absl::Status Check(const v1::SelectParams& params) {
  ABSL_RETURN_IF_ERROR(CheckBudget(params.budget()));
  ABSL_RETURN_IF_ERROR(CheckTarget(params.target()));
  ABSL_RETURN_IF_ERROR(CheckWithin("plans.size", params.plans_size(), 1, kMaxNumber));
  for (int i = 0; i < params.plans_size(); ++i) {
    ABSL_RETURN_IF_ERROR(CheckWithin("plans", params.plans(i), i == 0 ? 0 : params.plans(i - 1) + 1, kMaxNumber));
  }
  ABSL_RETURN_IF_ERROR(CheckWithin("shards", params.shards(), 1, kMaxNumber));
  ABSL_RETURN_IF_ERROR(CheckTextShards(params));
  return CheckCompute("card.evaluation_compute", params.card().evaluation_compute());
}

absl::Status Check(const v1::AssembleParams& params) {
  ABSL_RETURN_IF_ERROR(CheckWithin("candidate", params.candidate(), 0, kMaxNumber));
  ABSL_RETURN_IF_ERROR(CheckTarget(params.target()));
  return CheckCompute("card.evaluation_compute", params.card().evaluation_compute());
}

absl::Status Check(const v1::QuestionsParams& params) {
  ABSL_RETURN_IF_ERROR(CheckWithin("max_questions", params.max_questions(), 0, kMaxInt32));
  ABSL_RETURN_IF_ERROR(CheckWithin("max_positions", params.max_positions(), 1, limits::kMaxDataTokens));
  return CheckWithin("vocab_size", params.vocab_size(), 1, kMaxInt32);
}

absl::Status Check(const v1::ScoreParams& params) {
  ABSL_RETURN_IF_ERROR(CheckCompute("compute", params.compute()));
  ABSL_RETURN_IF_ERROR(CheckWithin("window", params.window(), 1, limits::kMaxDataTokens));
  return CheckRange("sequences", params.sequences(), limits::kMaxDataTokens / params.window());
}

absl::Status Check(const v1::SampleParams& params) {
  ABSL_RETURN_IF_ERROR(CheckCompute("compute", params.compute()));
  ABSL_RETURN_IF_ERROR(
      CheckWithin("prompt.size", static_cast<int64_t>(params.prompt().size()), 0, limits::kMaxPromptBytes));
  ABSL_RETURN_IF_ERROR(CheckWithin("prompt_tokens", params.prompt_tokens(), 1, limits::kMaxDataTokens));
  return CheckWithin("tokens", params.tokens(), 1, limits::kMaxSampleTokens);
}

absl::Status Check(const v1::GradeParams& params) { return CheckWithin("shards", params.shards(), 1, kMaxNumber); }

absl::Status Check(const v1::ReportParams& params) {
  ABSL_RETURN_IF_ERROR(CheckTarget(params.spec().target()));
  ABSL_RETURN_IF_ERROR(CheckWithin("spec.choices.size", params.spec().choices_size(), 0, limits::kMaxChoiceFiles));
  return CheckRecipe(params.recipe());
}

absl::Status CheckParams(const v1::TaskSpec& spec) {
  switch (spec.params_case()) {
    case v1::TaskSpec::kInspect:
      return Check(spec.inspect());
    case v1::TaskSpec::kImport:
      return absl::OkStatus();
    case v1::TaskSpec::kMerge:
      return CheckDamping("factoring.damping", spec.merge().factoring().damping());
    case v1::TaskSpec::kTokenize:
      return Check(spec.tokenize());
    case v1::TaskSpec::kReference:
      return Check(spec.reference());
    case v1::TaskSpec::kCalibrate:
      return Check(spec.calibrate());
    case v1::TaskSpec::kCurvature:
      return Check(spec.curvature());
    case v1::TaskSpec::kProfile:
      return Check(spec.profile());
    case v1::TaskSpec::kCheck:
      return Check(spec.check());
    case v1::TaskSpec::kAllocate:
      return Check(spec.allocate());
    case v1::TaskSpec::kQuantize:
      return Check(spec.quantize());
    case v1::TaskSpec::kEvaluate:
      return Check(spec.evaluate());
    case v1::TaskSpec::kChoose:
      return Check(spec.choose());
    case v1::TaskSpec::kProbe:
      return Check(spec.probe());
    case v1::TaskSpec::kQuestions:
      return Check(spec.questions());
    case v1::TaskSpec::kScore:
      return Check(spec.score());
    case v1::TaskSpec::kGrade:
      return Check(spec.grade());
    case v1::TaskSpec::kSample:
      return Check(spec.sample());
    case v1::TaskSpec::kSelect:
      return Check(spec.select());
    case v1::TaskSpec::kAssemble:
      return Check(spec.assemble());
    case v1::TaskSpec::kReport:
      return Check(spec.report());
    case v1::TaskSpec::PARAMS_NOT_SET:
      break;
  }
  return TaskKindUnknownError(spec.kind());
}

// The name is for people and metrics; a wrong one would mislead them.
absl::Status CheckKind(const v1::TaskSpec& spec) {
  const auto* oneof = v1::TaskSpec::descriptor()->FindOneofByName("params");
  const std::string& name = v1::TaskSpec::GetReflection()->GetOneofFieldDescriptor(spec, oneof)->name();
  if (spec.kind().empty() || spec.kind() == name) return absl::OkStatus();
  return TaskSpecInvalidError("kind", spec.kind(), "'" + name + "', whose params are there");
}

absl::Status CheckWindowFits(int window, const ModelConfig& config) {
  if (config.max_positions <= 0) return absl::OkStatus();
  return CheckWithin("window", window, limits::kMinWindow, config.max_positions);
}

// Every unit must be left a format to be priced.
absl::Status CheckFormatsFit(const v1::ProfileParams& params, const ModelConfig& config) {
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  for (int64_t b = 0; b < config.layers; ++b) {
    for (const UnitSpec& unit : config.block(b).units) {
      if (!FormatsOf(params.recipe().formats(), *target, unit).empty()) continue;
      return TaskSpecInvalidError("recipe.formats", unit.name,
                                  "a format for every unit, also of " + Text(unit.in()) + " inputs");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSpec(const v1::TaskSpec& spec) {
  ABSL_RETURN_IF_ERROR(CheckParams(spec));
  ABSL_RETURN_IF_ERROR(CheckKind(spec));
  return CheckInputs(spec);
}

absl::Status CheckSpecFits(const v1::TaskSpec& spec, const ModelConfig& config) {
  switch (spec.params_case()) {
    case v1::TaskSpec::kReference:
      ABSL_RETURN_IF_ERROR(CheckRange("blocks", spec.reference().blocks(), config.layers));
      return CheckWindowFits(spec.reference().window(), config);
    case v1::TaskSpec::kEvaluate:
      return CheckWindowFits(spec.evaluate().window(), config);
    case v1::TaskSpec::kScore:
      if (config.max_positions <= 0) return absl::OkStatus();
      return CheckWithin("window", spec.score().window(), 1, config.max_positions);
    case v1::TaskSpec::kSample:
      if (config.max_positions <= 0) return absl::OkStatus();
      return CheckWithin("prompt_tokens", spec.sample().prompt_tokens(), 1,
                         config.max_positions - spec.sample().tokens());
    case v1::TaskSpec::kCalibrate:
      ABSL_RETURN_IF_ERROR(CheckRange("blocks", spec.calibrate().blocks(), config.layers));
      return CheckWindowFits(spec.calibrate().window(), config);
    case v1::TaskSpec::kCurvature:
      ABSL_RETURN_IF_ERROR(CheckRange("blocks", spec.curvature().blocks(), config.layers));
      return CheckWindowFits(spec.curvature().window(), config);
    case v1::TaskSpec::kProfile:
      if (!spec.profile().ends()) {
        ABSL_RETURN_IF_ERROR(CheckRange("blocks", spec.profile().blocks(), config.layers));
      }
      return CheckFormatsFit(spec.profile(), config);
    case v1::TaskSpec::kCheck:
      ABSL_RETURN_IF_ERROR(CheckRange("blocks", spec.check().blocks(), config.layers));
      return CheckWindowFits(spec.check().window(), config);
    case v1::TaskSpec::kQuantize:
      if (spec.quantize().ends()) return absl::OkStatus();
      return CheckRange("blocks", spec.quantize().blocks(), config.layers);
    default:
      return absl::OkStatus();
  }
}

}  // namespace bitwright::worker
