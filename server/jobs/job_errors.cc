#include "server/jobs/job_errors.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "proto/base/errors.h"
#include "proto/contract/devices.h"
#include "proto/contract/limits.h"
#include "proto/contract/targets.h"

namespace bitwright::server {
namespace {

absl::Status Invalid(std::string_view reason, const std::string& message, std::map<std::string, std::string> metadata) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, std::move(metadata));
}

std::string Text(std::string_view text) { return std::string(text.substr(0, 200)); }

}  // namespace

absl::Status JobFinishedError(std::string_view state) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "JOB_FINISHED",
                   "the job has already " + std::string(state == "FAILED" ? "failed" : "succeeded") +
                       " and cannot be cancelled; delete it instead",
                   {{"state", Text(state)}});
}

absl::Status JobStateUnknownError(int state) {
  return MakeError(
      absl::StatusCode::kInternal, "JOB_STATE_UNKNOWN",
      "job state " + std::to_string(state) + " is not known to this version of the server; run the newer one",
      {{"state", std::to_string(state)}});
}

absl::Status EtagMismatchError(std::string_view name, std::string_view wanted, std::string_view current) {
  return MakeError(
      absl::StatusCode::kAborted, "ETAG_MISMATCH",
      "'" + Text(name) + "' has changed since etag '" + Text(wanted) + "' was read; get it again and decide anew",
      {{"name", Text(name)}, {"etag", Text(current)}});
}

absl::Status ModelOutdatedError(std::string_view model) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_OUTDATED",
                   "model '" + Text(model) +
                       "' was inspected by an earlier version of the server, which did not note the files that it "
                       "consists of; create it again from the same files: it is inspected anew",
                   {{"model", Text(model)}});
}

absl::Status ModelNotReadyError(std::string_view model, std::string_view state) {
  const bool rejected = state == "REJECTED";
  return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_READY",
                   "model '" + Text(model) + "' is " + Text(state) +
                       (rejected ? "; its error says why, upload a corrected model"
                                 : "; try again when its inspection has finished"),
                   {{"model", Text(model)}, {"state", Text(state)}});
}

absl::Status RecipeNotFoundError(std::string_view recipe) {
  return MakeError(absl::StatusCode::kNotFound, "RECIPE_NOT_FOUND",
                   "no recipe is named '" + Text(recipe) + "'; ListRecipes names all", {{"recipe", Text(recipe)}});
}

absl::Status RecipeInvalidError(std::string_view recipe, std::string_view field, std::string_view why) {
  return Invalid("RECIPE_INVALID", "recipe '" + Text(recipe) + "': " + std::string(field) + " " + std::string(why),
                 {{"recipe", Text(recipe)}, {"field", Text(field)}});
}

absl::Status TargetUnknownError(std::string_view target) {
  std::string known;
  for (const KnownTarget& one : kTargets) known += (known.empty() ? "'" : ", '") + std::string(one.name) + "'";
  return Invalid("TARGET_UNKNOWN", "target '" + Text(target) + "' is not known; use one of " + known,
                 {{"target", Text(target)}});
}

absl::Status TargetCannotStoreError(const absl::Status& refusal, const std::vector<std::string>& others) {
  const std::string remedy = others.empty() ? "no target stores this model; give one of another architecture"
                                            : "use target " + absl::StrJoin(others, " or ");
  const auto detail = GetErrorDetail(refusal);
  return Invalid(detail ? detail->reason : "TARGET_CANNOT_STORE",
                 absl::StrCat(absl::string_view(refusal.message()), "; ", remedy),
                 detail ? detail->metadata : std::map<std::string, std::string>());
}

absl::Status ConsumerUnknownError(std::string_view consumer, std::string_view target, std::string_view known) {
  return Invalid("CONSUMER_UNKNOWN",
                 "no profile of a consumer named '" + Text(consumer) + "' loads artifacts of target '" + Text(target) +
                     "'; use one of " + std::string(known) + ", or none",
                 {{"consumer", Text(consumer)}, {"target", Text(target)}});
}

absl::Status ConsumerCannotLoadError(std::string_view program, std::string_view why, std::string_view others) {
  const std::string remedy =
      others.empty() ? "name none, or another target" : "name one of " + std::string(others) + ", or none";
  return Invalid("CONSUMER_CANNOT_LOAD",
                 Text(program) + " would not load the artifact: " + std::string(why) + "; " + remedy,
                 {{"program", Text(program)}, {"others", std::string(others)}});
}

absl::Status DeviceUnknownError(std::string_view device) {
  return Invalid("DEVICE_UNKNOWN",
                 "device '" + Text(device) + "' is unknown; give one of " + absl::StrJoin(kJobDevices, ", "),
                 {{"device", Text(device)}});
}

absl::Status PriorityInvalidError(int priority) {
  const std::string limit = std::to_string(limits::kMaxPriority);
  return Invalid(
      "PRIORITY_INVALID",
      "priority " + std::to_string(priority) + " lies outside -" + limit + " to " + limit + "; give one within",
      {{"priority", std::to_string(priority)}, {"limit", limit}});
}

absl::Status DisplayNameTooLongError(std::string_view field, size_t bytes) {
  const std::string limit = std::to_string(limits::kMaxDisplayNameBytes);
  return Invalid("DISPLAY_NAME_INVALID",
                 Text(field) + " has " + std::to_string(bytes) + " bytes; give at most " + limit,
                 {{"field", Text(field)}, {"limit", limit}});
}

absl::Status LabelInvalidError(std::string_view key, std::string_view why) {
  return Invalid("LABEL_INVALID", (key.empty() ? "labels" : "label '" + Text(key) + "'") + ": " + std::string(why),
                 {{"key", Text(key)}});
}

absl::Status GoalsInvalidError(std::string_view what) { return Invalid("GOALS_INVALID", "goals " + Text(what), {}); }

absl::Status BoundNotMetError(const v1::Budget& bound, const v1::Probe& largest) {
  const bool kl = bound.has_max_kl_divergence();
  const std::string wanted =
      kl ? absl::StrFormat("a KL divergence of at most %g nats per token", bound.max_kl_divergence())
         : absl::StrFormat("a perplexity at most %g %% above the unquantized model's",
                           100 * bound.max_perplexity_rise());
  const std::string found = kl ? absl::StrFormat("%.6g", largest.kl_divergence())
                               : absl::StrFormat("%.4g %%", 100 * (largest.perplexity_ratio() - 1));
  return MakeError(absl::StatusCode::kFailedPrecondition, "BOUND_NOT_MET",
                   "no plan of the target has " + wanted + ": the largest was measured at " + found +
                       "; loosen the bound, or let the recipe have wider formats",
                   {{"bound", wanted}, {"measured", found}});
}

absl::Status BudgetMissingError() {
  return Invalid(
      "BUDGET_MISSING",
      "the job names no budget; set budget.average_bits, artifact_bytes, max_kl_divergence or max_perplexity_rise", {});
}

absl::Status BudgetInvalidError(std::string_view value) {
  return Invalid("BUDGET_INVALID",
                 "budget of " + Text(value) + " is not a positive finite number; give for example 4.25 bits",
                 {{"budget", Text(value)}});
}

absl::Status BudgetBelowSmallestError(std::string_view budget, std::string_view limit) {
  return Invalid("BUDGET_BELOW_SMALLEST_PLAN",
                 "budget of " + Text(budget) + " is below the smallest plan of this model; give at least " +
                     Text(limit) + " or allow smaller formats in the recipe",
                 {{"budget", Text(budget)}, {"limit", Text(limit)}});
}

absl::Status BudgetAboveLargestError(std::string_view budget, std::string_view limit) {
  return Invalid("BUDGET_ABOVE_LARGEST_PLAN",
                 "budget of " + Text(budget) + " is above the largest plan of this model; give at most " + Text(limit) +
                     ", which takes the widest format for every unit",
                 {{"budget", Text(budget)}, {"limit", Text(limit)}});
}

absl::Status DataInvalidError(std::string_view use, std::string_view field, std::string_view why) {
  return Invalid("DATA_INVALID", std::string(use) + " data: " + std::string(field) + " " + std::string(why),
                 {{"use", Text(use)}, {"field", Text(field)}});
}

absl::Status DataTooShortError(std::string_view use, int64_t tokens, int window) {
  return Invalid("DATA_TOO_SHORT",
                 std::string(use) + " data has " + std::to_string(tokens) + " tokens, fewer than one window of " +
                     std::to_string(window) + "; give a longer file or a smaller window",
                 {{"use", Text(use)}, {"tokens", std::to_string(tokens)}, {"window", std::to_string(window)}});
}

absl::Status DataEmptyError(std::string_view use) {
  return Invalid("DATA_TOO_SHORT", std::string(use) + " data is an empty file; give at least one window of tokens",
                 {{"use", Text(use)}, {"tokens", "0"}});
}

absl::Status TooManyTextsError(std::string_view use, int count) {
  return Invalid("TOO_MANY_TEXTS",
                 absl::StrCat(count, " ", std::string(use), " texts are given; give at most ", limits::kMaxTexts,
                              ", or join some of them to one file"),
                 {{"use", Text(use)}, {"texts", absl::StrCat(count)}, {"limit", absl::StrCat(limits::kMaxTexts)}});
}

absl::Status TooManyChoicesError(int count) {
  return Invalid(
      "TOO_MANY_TEXTS",
      absl::StrCat(count, " files of questions are given; give at most ", limits::kMaxChoiceFiles,
                   ", or join those of one task"),
      {{"use", "choices"}, {"texts", absl::StrCat(count)}, {"limit", absl::StrCat(limits::kMaxChoiceFiles)}});
}

absl::Status TokenizerMissingError(std::string_view model, std::string_view use) {
  return Invalid(
      "TOKENIZER_MISSING",
      "model '" + Text(model) + "' has no tokenizer.json or tokenizer.model, which the " + std::string(use) +
          " text needs; upload the model with it, or give token ids (a file *.ids.jsonl, one array of ids per line)",
      {{"model", Text(model)}, {"use", Text(use)}});
}

}  // namespace bitwright::server
