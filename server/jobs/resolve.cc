#include "server/jobs/resolve.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/devices.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/targets.h"
#include "server/jobs/budget_check.h"
#include "server/jobs/goals.h"
#include "server/jobs/job_errors.h"
#include "server/jobs/label_check.h"
#include "server/jobs/recipe_check.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

constexpr int64_t kMaxWindows = 65536;  // bounds the number of tasks

const char* ModelStateName(v1::Model::State state) {
  switch (state) {
    case v1::Model::INSPECTING:
      return "INSPECTING";
    case v1::Model::REJECTED:
      return "REJECTED";
    default:
      return "not inspected";
  }
}

absl::Status CheckWindow(const std::string& use, const v1::Data& data, int64_t max_positions) {
  const std::string text = "is " + std::to_string(data.window()) + " tokens; ";
  if (data.window() < limits::kMinWindow) {
    return DataInvalidError(use, "window", text + "give at least " + std::to_string(limits::kMinWindow));
  }
  if (max_positions > 0 && data.window() > max_positions) {
    return DataInvalidError(use, "window",
                            text + "the model has " + std::to_string(max_positions) + " positions, give at most that");
  }
  return absl::OkStatus();
}

absl::Status CheckTokens(const std::string& use, const v1::Data& data) {
  const std::string text = "is " + std::to_string(data.tokens()) + "; ";
  if (data.tokens() < data.window()) {
    return DataInvalidError(use, "tokens", text + "give at least one window of " + std::to_string(data.window()));
  }
  if (data.tokens() > limits::kMaxDataTokens) {
    return DataInvalidError(use, "tokens", text + "give at most " + std::to_string(limits::kMaxDataTokens));
  }
  if (data.tokens() / data.window() > kMaxWindows) {
    return DataInvalidError(
        use, "tokens",
        text + "that is more than " + std::to_string(kMaxWindows) + " windows, give fewer or larger ones");
  }
  return absl::OkStatus();
}

absl::Status CheckSource(const std::string& use, const v1::Data& data, const v1::Model& model) {
  const bool text = data.kind() == v1::Data::TEXT || data.kind() == v1::Data::DOCUMENTS_JSONL;
  if (!text && data.kind() != v1::Data::TOKEN_IDS_JSONL) {
    return DataInvalidError(use, "kind", "is not known; give text, documents or token ids");
  }
  if (!data.has_blob()) return DataInvalidError(use, "blob", "is missing; upload the data and name its digest");
  if (const auto digest = FromProto(data.blob()); !digest.ok()) {
    return DataInvalidError(use, "blob", "has a malformed digest: " + std::string(digest.status().message()));
  }
  if (data.blob().size_bytes() == 0) return DataEmptyError(use);
  if (text && model.info().tokenizer_path().empty()) {
    return TokenizerMissingError(model.display_name().empty() ? model.name() : model.display_name(), use);
  }
  return absl::OkStatus();
}

absl::Status CheckDisplayName(const std::string& field, const std::string& name) {
  return name.size() <= limits::kMaxDisplayNameBytes ? absl::OkStatus() : DisplayNameTooLongError(field, name.size());
}

absl::Status CompleteData(const std::string& use, int64_t default_tokens, const v1::Model& model, v1::Data& data) {
  if (data.tokens() == 0) data.set_tokens(std::max<int64_t>(default_tokens, data.window()));
  ABSL_RETURN_IF_ERROR(CheckDisplayName(use + ".display_name", data.display_name()));
  ABSL_RETURN_IF_ERROR(CheckWindow(use, data, model.info().max_positions()));
  ABSL_RETURN_IF_ERROR(CheckTokens(use, data));
  return CheckSource(use, data, model);
}

// A model with fewer positions than the default window gets windows of all its positions.
int DefaultWindow(const v1::Model& model) {
  const int64_t positions = model.info().max_positions();
  return static_cast<int>(positions > 0 ? std::min<int64_t>(limits::kDefaultWindow, positions)
                                        : limits::kDefaultWindow);
}

using Texts = google::protobuf::RepeatedPtrField<v1::Data>;

// What one text may take, all of a use may take together.
absl::Status CheckAll(const char* use, const Texts& texts) {
  if (texts.size() == 1) return absl::OkStatus();  // has been looked at
  v1::Data all = texts[0];
  for (int t = 1; t < texts.size(); ++t) all.set_tokens(all.tokens() + texts[t].tokens());
  return CheckTokens(use, all);
}

// All texts of a use. `default_tokens`: of each that does not say how many it gives.
absl::Status CompleteTexts(const char* use, int64_t default_tokens, const v1::Model& model, Texts& texts) {
  if (texts.empty()) return DataInvalidError(use, "blob", "is missing; upload the data and name its digest");
  if (texts.size() > limits::kMaxTexts) return TooManyTextsError(use, texts.size());
  const int window = texts[0].window() == 0 ? DefaultWindow(model) : texts[0].window();
  for (int t = 0; t < texts.size(); ++t) {
    v1::Data& data = texts[t];
    const std::string field = TextField(use, t, texts.size());
    if (data.window() == 0) data.set_window(window);
    ABSL_RETURN_IF_ERROR(CompleteData(field, default_tokens, model, data));
    if (data.window() == window) continue;
    return DataInvalidError(field, "window",
                            "is " + std::to_string(data.window()) + " tokens; the first " + use + " text has " +
                                std::to_string(window) + ", give all texts of a use the same");
  }
  return CheckAll(use, texts);
}

// Files of multiple-choice questions; what is in them, their tasks look at.
absl::Status CheckChoices(const v1::JobSpec& spec, const v1::Model& model) {
  const int count = spec.choices_size();
  if (count > limits::kMaxChoiceFiles) return TooManyChoicesError(count);
  for (int f = 0; f < count; ++f) {
    const v1::ChoiceFile& file = spec.choices(f);
    const std::string field = TextField("choices", f, count);
    ABSL_RETURN_IF_ERROR(CheckDisplayName(field + ".display_name", file.display_name()));
    if (file.questions() < 0) {
      return DataInvalidError(field, "questions",
                              "is " + std::to_string(file.questions()) + "; give 0 for all, or more");
    }
    v1::Data text;
    text.set_kind(v1::Data::TEXT);
    if (file.has_blob()) *text.mutable_blob() = file.blob();
    ABSL_RETURN_IF_ERROR(CheckSource(field, text, model));
  }
  return absl::OkStatus();
}

absl::Status CompleteSample(const v1::Model& model, v1::SampleSpec& sample) {
  const int64_t positions = model.info().max_positions();
  const int64_t most =
      positions > 0 ? std::min<int64_t>(limits::kMaxSampleTokens, positions - 1) : int64_t{limits::kMaxSampleTokens};
  if (sample.tokens() == 0) {
    sample.set_tokens(static_cast<int>(std::min<int64_t>(limits::kDefaultSampleTokens, most)));
  }
  if (sample.tokens() < 1 || sample.tokens() > most) {
    return DataInvalidError("sample", "tokens",
                            "is " + std::to_string(sample.tokens()) + "; give 1 to " + std::to_string(most));
  }
  if (sample.prompt().size() > limits::kMaxPromptBytes) {
    return DataInvalidError("sample", "prompt",
                            "has " + std::to_string(sample.prompt().size()) + " bytes; give at most " +
                                std::to_string(limits::kMaxPromptBytes));
  }
  if (!sample.prompt().empty() && model.info().tokenizer_path().empty()) {
    return TokenizerMissingError(model.display_name().empty() ? model.name() : model.display_name(), "sample");
  }
  return absl::OkStatus();
}

v1::Recipe WithId(v1::Recipe recipe) {
  if (auto id = ParseResourceName(recipe.name(), Collection::kRecipes); id.ok()) recipe.set_name(*std::move(id));
  return recipe;
}

// The recipe that runs, with its id as its name. A recipe of one's own is named in the spec as it is here.
absl::StatusOr<v1::Recipe> ChooseRecipe(const std::optional<v1::Recipe>& shipped, v1::JobSpec& spec) {
  if (!spec.has_inline_recipe()) return shipped ? CompleteRecipe(WithId(*shipped)) : RecipeNotFoundError(spec.recipe());
  ABSL_ASSIGN_OR_RETURN(v1::Recipe own, CompleteRecipe(WithId(spec.inline_recipe())));
  if (shipped) {
    ABSL_ASSIGN_OR_RETURN(v1::Recipe known, CompleteRecipe(WithId(*shipped)));
    if (PartsOf(own).SerializeAsString() == PartsOf(known).SerializeAsString()) {
      spec.set_recipe(ResourceName(Collection::kRecipes, known.name()));
      return known;
    }
    own.set_name(own.name() + "-edited");
  }
  spec.mutable_inline_recipe()->set_name(own.name());
  return own;
}

v1::Budget BudgetOf(const v1::Budget& given, const PlanLimits& limits, Purpose purpose) {
  v1::Budget budget = given;
  if (purpose == Purpose::kPreflight && given.kind_case() == v1::Budget::KIND_NOT_SET) {
    budget.set_artifact_bytes(limits.largest_artifact_bytes);
  }
  return budget;
}

// What the model can become for a target. TARGET_UNKNOWN, TARGET_CANNOT_STORE as inspection found.
absl::StatusOr<const v1::TargetInfo*> FindTarget(const std::string& name, const v1::ModelInfo& info) {
  if (const v1::TargetInfo* stored = StoringTarget(info, name)) return stored;
  std::vector<std::string> others;
  for (const v1::TargetInfo& target : info.targets()) {
    if (!target.has_refusal()) others.push_back(target.target());
  }
  for (const v1::TargetInfo& target : info.targets()) {
    if (target.target() == name) return TargetCannotStoreError(FromProto(target.refusal()), others);
  }
  return TargetUnknownError(name);
}

using Names = google::protobuf::RepeatedPtrField<std::string>;

// Those of `all` that `allowed` has, where it has any.
Names Common(const Names& allowed, const Names& all) {
  Names common;
  for (const std::string& name : all) {
    if (allowed.empty() || std::find(allowed.begin(), allowed.end(), name) != allowed.end()) *common.Add() = name;
  }
  return common;
}

// Consumers of a target that load what the recipe makes of the model.
std::string LoadingConsumers(const v1::TargetInfo& target, const v1::Recipe& recipe) {
  std::string names;
  for (const v1::ConsumerInfo& consumer : target.consumers()) {
    if (!consumer.refusal().empty() || Common(recipe.formats().names(), consumer.formats()).empty()) continue;
    names += (names.empty() ? "'" : ", '") + consumer.name() + "'";
  }
  return names;
}

// Leaves the recipe those formats and plans that a consumer loads. CONSUMER_UNKNOWN, CONSUMER_CANNOT_LOAD.
absl::Status NarrowTo(const std::string& name, const v1::TargetInfo& target, v1::Recipe& recipe) {
  if (name.empty()) return absl::OkStatus();
  std::string known;
  for (const v1::ConsumerInfo& consumer : target.consumers()) {
    known += (known.empty() ? "'" : ", '") + consumer.name() + "'";
    if (consumer.name() != name) continue;
    const auto refuse = [&](const std::string& why) {
      return ConsumerCannotLoadError(consumer.program(), why, LoadingConsumers(target, recipe));
    };
    if (!consumer.refusal().empty()) return refuse(consumer.refusal());
    if (consumer.one_format()) recipe.mutable_candidates()->set_mixed(false);
    v1::Recipe::Formats& formats = *recipe.mutable_formats();
    auto names = Common(formats.names(), consumer.formats()), ends = Common(formats.ends(), consumer.formats());
    if (names.empty() || ends.empty()) {
      return refuse("it has none of the recipe's formats");
    }
    if (!formats.ends().empty()) *formats.mutable_ends() = std::move(ends);
    *formats.mutable_names() = std::move(names);
    return absl::OkStatus();
  }
  return ConsumerUnknownError(name, target.target(), known);
}

// One goal of a job with that recipe.
absl::StatusOr<ResolvedGoal> ResolveGoal(v1::Goal goal, const v1::Recipe& recipe, const v1::ModelInfo& info,
                                         Purpose purpose) {
  if (goal.target().empty()) goal.set_target(std::string(kTargets[0].name));
  ABSL_ASSIGN_OR_RETURN(const v1::TargetInfo* target, FindTarget(goal.target(), info));
  ResolvedGoal resolved{std::move(goal), recipe};
  ABSL_RETURN_IF_ERROR(NarrowTo(resolved.goal.consumer(), *target, resolved.recipe));
  ABSL_RETURN_IF_ERROR(CheckRecipeFits(resolved.recipe, info, *target));
  const PlanLimits limits = LimitsOf(*target, resolved.recipe);
  *resolved.goal.mutable_budget() = BudgetOf(resolved.goal.budget(), limits, purpose);
  ABSL_RETURN_IF_ERROR(CheckBudget(resolved.goal.budget(), limits));
  return resolved;
}

// The goals that the spec lists, or its own, in the spec and beside it.
absl::Status ResolveGoals(const v1::ModelInfo& info, Purpose purpose, ResolvedJob& job) {
  ABSL_RETURN_IF_ERROR(CheckGoals(job.spec));
  for (v1::Goal& goal : GoalsOf(job.spec)) {
    ABSL_ASSIGN_OR_RETURN(ResolvedGoal resolved, ResolveGoal(std::move(goal), job.recipe, info, purpose));
    job.goals.push_back(std::move(resolved));
  }
  if (job.spec.goals().empty()) {
    job.spec = WithGoal(std::move(job.spec), job.goals[0].goal);
    return absl::OkStatus();
  }
  for (size_t g = 0; g < job.goals.size(); ++g) *job.spec.mutable_goals(static_cast<int>(g)) = job.goals[g].goal;
  return CheckGoals(job.spec);  // two may have become alike
}

}  // namespace

absl::StatusOr<ResolvedJob> Restore(const v1::JobSpec& spec, const v1::Recipe& recipe,
                                    std::shared_ptr<const v1::Model> model, const v1::Digest& info) {
  ResolvedJob job{spec, recipe, {}, std::move(model), info};
  for (v1::Goal& goal : GoalsOf(spec)) {
    ResolvedGoal& restored = job.goals.emplace_back(ResolvedGoal{std::move(goal), recipe});
    const v1::TargetInfo* target = StoringTarget(job.model->info(), restored.goal.target());
    if (target == nullptr) return ModelOutdatedError(spec.model());
    ABSL_RETURN_IF_ERROR(NarrowTo(restored.goal.consumer(), *target, restored.recipe));
  }
  return job;
}

bool IsOutdated(const v1::Model& model) {
  const v1::ModelInfo& info = model.info();
  return model.state() == v1::Model::READY &&
         (info.files_size() == 0 || !info.has_live() || info.pieces_size() == 0 || info.targets_size() == 0);
}

absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, std::shared_ptr<const v1::Model> shared,
                                    const v1::Digest& info, const std::optional<v1::Recipe>& shipped, Purpose purpose) {
  const v1::Model& model = *shared;
  if (model.state() != v1::Model::READY) return ModelNotReadyError(spec.model(), ModelStateName(model.state()));
  if (IsOutdated(model)) return ModelOutdatedError(spec.model());
  ResolvedJob job{spec, {}, {}, std::move(shared), info};
  if (std::abs(int64_t{spec.priority()}) > limits::kMaxPriority) return PriorityInvalidError(spec.priority());
  if (!IsJobDevice(spec.device())) return DeviceUnknownError(spec.device());
  ABSL_RETURN_IF_ERROR(CheckDisplayName("display_name", spec.display_name()));
  ABSL_RETURN_IF_ERROR(CheckLabels(spec));
  ABSL_ASSIGN_OR_RETURN(job.recipe, ChooseRecipe(shipped, job.spec));
  ABSL_RETURN_IF_ERROR(ResolveGoals(model.info(), purpose, job));
  auto& calibration = *job.spec.mutable_calibration();
  const int64_t share = limits::kDefaultCalibrationTokens / std::max(1, calibration.size());
  ABSL_RETURN_IF_ERROR(CompleteTexts("calibration", share, model, calibration));
  ABSL_RETURN_IF_ERROR(
      CompleteTexts("evaluation", limits::kDefaultEvaluationTokens, model, *job.spec.mutable_evaluation()));
  ABSL_RETURN_IF_ERROR(CheckChoices(job.spec, model));
  if (job.spec.has_sample()) ABSL_RETURN_IF_ERROR(CompleteSample(model, *job.spec.mutable_sample()));
  return job;
}

}  // namespace bitwright::server
