#include "server/jobs/recipe_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "proto/contract/format_choice.h"
#include "proto/contract/targets.h"
#include "server/jobs/job_errors.h"

namespace bitwright::server {
namespace {

constexpr int kMinBits = 2;
constexpr int kMaxBits = 8;
constexpr int kMaxSensitivityWindows = 4096;
constexpr int kMaxCheckedUnits = 4096;
constexpr size_t kMaxNameBytes = 63;
constexpr size_t kMaxDescriptionBytes = 1024;

bool NameChar(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }
bool BitsValid(int bits) { return bits >= kMinBits && bits <= kMaxBits; }
bool GroupValid(int size) { return size == 0 || size == 16 || size == 32 || size == 64 || size == 128; }

template <typename List, typename Valid>
absl::Status CheckList(const std::string& recipe, const char* field, const List& list, Valid valid,
                       const std::string& allowed) {
  for (auto value = list.begin(); value != list.end(); ++value) {
    const std::string text = std::to_string(*value);
    if (!valid(*value)) return RecipeInvalidError(recipe, field, absl::StrCat("has ", text, "; allowed are ", allowed));
    if (std::find(list.begin(), value, *value) != value) {
      return RecipeInvalidError(recipe, field, absl::StrCat("has ", text, " twice; name it once"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const v1::Recipe& recipe) {
  const std::string& name = recipe.name();
  if (name.empty() || name.size() > kMaxNameBytes || !std::all_of(name.begin(), name.end(), NameChar)) {
    return RecipeInvalidError(name, "name", "must be 1 to 63 lower-case letters, digits and '-'");
  }
  if (recipe.description().size() > kMaxDescriptionBytes) {
    return RecipeInvalidError(
        name, "description", "has " + std::to_string(recipe.description().size()) + " bytes; at most 1024 are allowed");
  }
  return absl::OkStatus();
}

absl::Status CheckEnums(const v1::Recipe& recipe) {
  const std::string& name = recipe.name();
  const auto unknown = [](int value) { return "has the value " + std::to_string(value) + ", which is not known"; };
  if (const int v = recipe.calibration().compute(); !v1::ComputeType_IsValid(v)) {
    return RecipeInvalidError(name, "calibration.compute", unknown(v));
  }
  if (const int v = recipe.evaluation().compute(); !v1::ComputeType_IsValid(v)) {
    return RecipeInvalidError(name, "evaluation.compute", unknown(v));
  }
  if (const int v = recipe.rounding().method(); !v1::RoundingMethod_IsValid(v)) {
    return RecipeInvalidError(name, "rounding.method", unknown(v));
  }
  if (const int v = recipe.rounding().scales(); !v1::ScaleMethod_IsValid(v)) {
    return RecipeInvalidError(name, "rounding.scales", unknown(v));
  }
  if (const int v = recipe.rounding().sweeps(); !v1::Sweeps_IsValid(v)) {
    return RecipeInvalidError(name, "rounding.sweeps", unknown(v));
  }
  return absl::OkStatus();
}

absl::Status CheckFormatNames(const std::string& recipe, const char* field,
                              const google::protobuf::RepeatedPtrField<std::string>& names) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    const auto has = [&](const KnownTarget& target) { return std::ranges::count(target.formats, *name) > 0; };
    if (!std::ranges::any_of(kTargets, has)) {
      return RecipeInvalidError(recipe, field,
                                "has '" + *name + "', which no target stores; GetCapabilities lists what each does");
    }
    if (std::find(names.begin(), name, *name) != name) {
      return RecipeInvalidError(recipe, field, "has '" + *name + "' twice; name it once");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const v1::Recipe& recipe) {
  const std::string& name = recipe.name();
  const double damping = recipe.rounding().damping();
  if (!(damping > 0 && damping <= 1)) {
    return RecipeInvalidError(name, "rounding.damping",
                              "is " + std::to_string(damping) + "; give a share above 0, at most 1");
  }
  const auto& sensitivity = recipe.sensitivity();
  if (sensitivity.windows() < 1 || sensitivity.windows() > kMaxSensitivityWindows) {
    return RecipeInvalidError(name, "sensitivity.windows",
                              "is " + std::to_string(sensitivity.windows()) + "; allowed are 1 to 4096");
  }
  if (sensitivity.checked_units() < 1 || sensitivity.checked_units() > kMaxCheckedUnits) {
    return RecipeInvalidError(name, "sensitivity.checked_units",
                              "is " + std::to_string(sensitivity.checked_units()) + "; allowed are 1 to 4096");
  }
  if (!BitsValid(sensitivity.middle_bits())) {
    return RecipeInvalidError(name, "sensitivity.middle_bits",
                              "is " + std::to_string(sensitivity.middle_bits()) + "; allowed are 2 to 8");
  }
  ABSL_RETURN_IF_ERROR(CheckList(name, "sensitivity.checked_bits", sensitivity.checked_bits(), BitsValid, "2 to 8"));
  ABSL_RETURN_IF_ERROR(CheckList(name, "formats.bits", recipe.formats().bits(), BitsValid, "2 to 8"));
  ABSL_RETURN_IF_ERROR(CheckList(name, "formats.group_sizes", recipe.formats().group_sizes(), GroupValid,
                                 "16, 32, 64, 128 and 0 (one scale per row)"));
  ABSL_RETURN_IF_ERROR(CheckFormatNames(name, "formats.names", recipe.formats().names()));
  ABSL_RETURN_IF_ERROR(CheckFormatNames(name, "formats.ends", recipe.formats().ends()));
  if (recipe.candidates().uniform() < 0) {
    return RecipeInvalidError(name, "candidates.uniform",
                              "is " + std::to_string(recipe.candidates().uniform()) + "; give 0 (all) or more");
  }
  return absl::OkStatus();
}

void FillDefaults(v1::Recipe& recipe) {
  if (recipe.name().empty()) recipe.set_name("inline");
  if (recipe.calibration().compute() == v1::COMPUTE_TYPE_UNSPECIFIED) {
    recipe.mutable_calibration()->set_compute(v1::COMPUTE_TYPE_F32);
  }
  if (recipe.evaluation().compute() == v1::COMPUTE_TYPE_UNSPECIFIED) {
    recipe.mutable_evaluation()->set_compute(v1::COMPUTE_TYPE_F32);
  }
  auto* rounding = recipe.mutable_rounding();
  if (rounding->method() == v1::ROUNDING_METHOD_UNSPECIFIED) rounding->set_method(v1::ROUNDING_METHOD_GPTQ);
  if (rounding->scales() == v1::SCALE_METHOD_UNSPECIFIED) rounding->set_scales(v1::SCALE_METHOD_SEARCHED);
  if (rounding->damping() == 0) rounding->set_damping(0.01);
  if (rounding->sweeps() == v1::SWEEPS_UNSPECIFIED) rounding->set_sweeps(v1::SWEEPS_REFIT);
  auto* sensitivity = recipe.mutable_sensitivity();
  if (sensitivity->windows() == 0) sensitivity->set_windows(8);
  if (sensitivity->middle_bits() == 0) sensitivity->set_middle_bits(3);
  if (sensitivity->checked_units() == 0) sensitivity->set_checked_units(8);
  if (!recipe.has_candidates()) recipe.mutable_candidates()->set_mixed(true);
}

}  // namespace

absl::StatusOr<v1::Recipe> CompleteRecipe(const v1::Recipe& recipe) {
  v1::Recipe complete = recipe;
  FillDefaults(complete);
  ABSL_RETURN_IF_ERROR(CheckNames(complete));
  ABSL_RETURN_IF_ERROR(CheckEnums(complete));
  ABSL_RETURN_IF_ERROR(CheckNumbers(complete));
  return complete;
}

v1::Recipe PartsOf(v1::Recipe recipe) {
  recipe.clear_name();
  recipe.clear_description();
  return recipe;
}

v1::Recipe CheckedPart(v1::Recipe recipe) {
  recipe.clear_calibration();
  recipe.clear_candidates();
  recipe.clear_evaluation();
  recipe.mutable_sensitivity()->clear_windows();
  recipe.mutable_sensitivity()->clear_checked_units();
  return PartsOf(std::move(recipe));
}

v1::Recipe ProfiledPart(v1::Recipe recipe) {
  recipe.clear_sensitivity();
  return CheckedPart(std::move(recipe));
}

bool OptionAllowed(const v1::Recipe& recipe, const v1::TargetInfo::Unit& unit, const v1::FormatOption& option) {
  return AllowsFormat(unit.end() ? FormatsOfEnds(recipe.formats()) : recipe.formats(), option.name(), option.bits(),
                      option.group_size());
}

absl::Status CheckRecipeFits(const v1::Recipe& recipe, const v1::ModelInfo& info, const v1::TargetInfo& target) {
  for (int u = 0; u < target.units_size(); ++u) {
    const auto& options = target.units(u).options();
    const bool fits = std::any_of(options.begin(), options.end(), [&](const v1::FormatOption& option) {
      return OptionAllowed(recipe, target.units(u), option);
    });
    if (fits) continue;
    std::string stored;
    for (const v1::FormatOption& option : options) absl::StrAppend(&stored, stored.empty() ? "" : ", ", option.name());
    return RecipeInvalidError(recipe.name(), "formats",
                              absl::StrCat("leave the unit '", info.units(u).name(), "' without a format; target '",
                                           target.target(), "' stores it as one of ", stored));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
