#include "client/cli/job_draft.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/api/budget.h"
#include "client/api/client_errors.h"
#include "client/api/display_name.h"
#include "client/api/hashing.h"
#include "client/api/recipe_file.h"
#include "client/cli/cli_errors.h"
#include "client/cli/data_file.h"
#include "client/cli/exit_codes.h"
#include "client/cli/find_resource.h"
#include "client/cli/hub_cache.h"
#include "client/cli/labels.h"
#include "client/cli/session.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "proto/inputs/data_kind.h"
#include "proto/inputs/model_folder.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::vector<BudgetChoice>> ParseBudgets(const std::string& text) {
  std::vector<BudgetChoice> choices;
  if (text.empty()) return choices;
  std::set<std::string> seen;
  for (const absl::string_view piece : absl::StrSplit(text, ',')) {
    std::string part(piece);
    part.erase(std::remove(part.begin(), part.end(), ' '), part.end());
    BudgetChoice choice{part, {}};
    ABSL_ASSIGN_OR_RETURN(choice.budget, ParseBudget(part));
    if (!seen.insert(BudgetText(choice.budget)).second) return BudgetInvalidError(part, "is given twice");
    choices.push_back(std::move(choice));
  }
  return choices;
}

// Every budget for every target. TARGETS_INVALID: one is named twice, or none between two commas.
absl::StatusOr<std::vector<BudgetChoice>> ForTargets(const std::string& targets, std::vector<BudgetChoice> budgets,
                                                     v1::JobSpec& spec) {
  const std::vector<std::string> names = absl::StrSplit(targets, ',');
  spec.set_target(names.front());
  if (names.size() == 1) return budgets;
  if (budgets.empty()) budgets.emplace_back();
  std::vector<BudgetChoice> choices;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty() || !seen.insert(name).second) return TargetsInvalidError(targets);
    for (BudgetChoice choice : budgets) {
      choice.text = choice.text.empty() ? name : name + "-" + choice.text;
      choice.target = name;
      choices.push_back(std::move(choice));
    }
  }
  return choices;
}

absl::Status SetRecipe(const std::string& recipe, v1::JobSpec& spec) {
  if (!recipe.ends_with(".textproto")) {
    spec.set_recipe(FullName(Collection::kRecipes, recipe));
    return absl::OkStatus();
  }
  ABSL_ASSIGN_OR_RETURN(*spec.mutable_inline_recipe(), ReadRecipeFile(recipe));
  // As `recipe show` of some servers prints it.
  v1::Recipe* own = spec.mutable_inline_recipe();
  own->set_name(IdOf(Collection::kRecipes, own->name()));
  return absl::OkStatus();
}

absl::Status SetLabels(const JobOptions& options, v1::JobSpec& spec) {
  ABSL_ASSIGN_OR_RETURN(const auto labels, ParseLabels(options.labels));
  for (const auto& [key, value] : labels) (*spec.mutable_labels())[key] = value;
  return absl::OkStatus();
}

// One of the two texts; `data` keeps what is not about the file.
absl::Status SetData(const JobOptions& options, const DataFile& file, const std::string& kind, int64_t tokens,
                     v1::Data* data) {
  ABSL_RETURN_IF_ERROR(CheckDataFile(file, kind, options.window, data));
  data->set_window(options.window);
  data->set_tokens(tokens);
  data->set_add_special_tokens(options.add_special_tokens);
  return absl::OkStatus();
}

absl::Status SetTexts(const JobOptions& options, JobDraft& draft) {
  if (!options.calibration.empty()) {
    DataFile file{options.calibration, options.calibration, ""};
    std::string kind = options.data_kind;
    if (options.calibration == kSampleWord) {
      ABSL_ASSIGN_OR_RETURN(draft.sample, SampleText::Make());
      file = {draft.sample->path(), std::string(kSampleWord), std::string(kSampleName)};
      kind = DataKindName(v1::Data::TEXT);
    }
    draft.calibration = file.path;
    ABSL_RETURN_IF_ERROR(SetData(options, file, kind, options.calibration_tokens, draft.spec.mutable_calibration()));
  }
  if (options.evaluation.empty()) return absl::OkStatus();
  draft.evaluation = options.evaluation;
  return SetData(options, {options.evaluation, options.evaluation, ""}, options.data_kind, options.evaluation_tokens,
                 draft.spec.mutable_evaluation());
}

bool NeedsTokenizer(const v1::JobSpec& spec) {
  const auto is_text = [](bool given, const v1::Data& data) {
    return given && data.kind() != v1::Data::TOKEN_IDS_JSONL;
  };
  return is_text(spec.has_calibration(), spec.calibration()) || is_text(spec.has_evaluation(), spec.evaluation());
}

absl::Status TakeFolder(const std::string& folder, const JobOptions& options, JobDraft& draft) {
  ABSL_ASSIGN_OR_RETURN(draft.model, ScanModelDir(folder));
  const bool from_hub = folder != options.model;
  draft.model_name = !options.model_name.empty() ? options.model_name
                     : from_hub                  ? FitDisplayName(options.model)
                                                 : FitDisplayName(HubNameOf(folder).value_or(FolderName(folder)));
  return absl::OkStatus();
}

absl::Status SetModel(const Options& options, const Environment& environment, JobDraft& draft) {
  const JobOptions& job = options.job;
  // A service of our own that begins with no data knows no model.
  const bool alone = Session::WouldBeLocal(options, environment) && options.local.keep_data_dir.empty();
  draft.hub_caches = absl::StrJoin(environment.hub_caches, ", ");
  ABSL_ASSIGN_OR_RETURN(const auto folder, FolderOf(job.model, environment, !alone));
  if (!folder) return alone ? ModelUnknownError(job.model) : absl::OkStatus();
  ABSL_RETURN_IF_ERROR(TakeFolder(*folder, job, draft));
  const bool has_tokenizer = std::any_of(std::begin(kTokenizerFiles), std::end(kTokenizerFiles),
                                         [&](std::string_view file) { return draft.model->Has(std::string(file)); });
  // A GGUF has its tokenizer within it.
  const bool is_gguf = !draft.model->Has("config.json");
  if (NeedsTokenizer(draft.spec) && !has_tokenizer && !is_gguf) return TokenizerMissingError(job.model);
  return absl::OkStatus();
}

absl::Status UploadText(Client& client, const std::string& path, v1::Data* data) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, client.UploadFile(path));
  *data->mutable_blob() = ToProto(digest);
  return absl::OkStatus();
}

}  // namespace

v1::JobSpec JobDraft::WithBudget(const BudgetChoice& choice) const {
  v1::JobSpec job = spec;
  if (choice.budget.kind_case() != v1::Budget::KIND_NOT_SET) *job.mutable_budget() = choice.budget;
  if (!choice.target.empty()) job.set_target(choice.target);
  return job;
}

std::string FolderName(const std::string& dir) {
  std::error_code ignored;
  fs::path path = fs::absolute(dir, ignored).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return FitDisplayName(path.filename().string());
}

absl::StatusOr<std::optional<std::string>> FolderOf(const std::string& model, const Environment& environment,
                                                    bool server_may_know) {
  std::error_code ignored;
  if (fs::exists(model, ignored)) return std::optional(model);
  if (auto snapshot = FindInHubCaches(environment.hub_caches, model)) return snapshot;
  if (!server_may_know && IsHubName(model)) {
    return HubModelMissingError(model, absl::StrJoin(environment.hub_caches, ", "));
  }
  return std::optional<std::string>();
}

absl::Status DraftModel(const Options& options, const Environment& environment, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--name", options.job.model_name));
  const bool hub = IsHubName(options.job.model);
  ABSL_ASSIGN_OR_RETURN(const auto folder, FolderOf(options.job.model, environment, !hub));
  return folder ? TakeFolder(*folder, options.job, draft) : absl::OkStatus();
}

absl::StatusOr<JobDraft> DraftJob(const Options& options, const Environment& environment) {
  const JobOptions& job = options.job;
  JobDraft draft;
  ABSL_ASSIGN_OR_RETURN(draft.budgets, ParseBudgets(job.budgets));
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--name", job.display_name));
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--model-name", job.model_name));
  ABSL_RETURN_IF_ERROR(SetLabels(job, draft.spec));
  if (options.command != Command::kPlan) {
    if (job.calibration.empty()) return DataMissingError("calibration");
    if (job.evaluation.empty()) return DataMissingError("evaluation");
  }
  ABSL_RETURN_IF_ERROR(SetRecipe(job.recipe, draft.spec));
  ABSL_ASSIGN_OR_RETURN(draft.budgets, ForTargets(job.target, std::move(draft.budgets), draft.spec));
  draft.spec.set_consumer(job.consumer);
  draft.spec.set_priority(job.priority);
  ABSL_RETURN_IF_ERROR(SetTexts(job, draft));
  ABSL_RETURN_IF_ERROR(SetModel(options, environment, draft));
  draft.spec.set_display_name(job.display_name.empty() ? draft.model_name : job.display_name);
  return draft;
}

absl::StatusOr<JobDraft> ChangeJob(const v1::JobSpec& other, const Options& options) {
  const JobOptions& job = options.job;
  const auto given = [&](const char* option) { return job.given.contains(option); };
  JobDraft draft;
  draft.spec = other;
  ABSL_ASSIGN_OR_RETURN(draft.budgets, ParseBudgets(job.budgets));
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--name", job.display_name));
  if (given("--name")) draft.spec.set_display_name(job.display_name);
  ABSL_RETURN_IF_ERROR(SetLabels(job, draft.spec));
  if (given("--recipe")) ABSL_RETURN_IF_ERROR(SetRecipe(job.recipe, draft.spec));
  if (given("--target")) {
    ABSL_ASSIGN_OR_RETURN(draft.budgets, ForTargets(job.target, std::move(draft.budgets), draft.spec));
  }
  if (given("--consumer")) draft.spec.set_consumer(job.consumer);
  if (given("--priority")) draft.spec.set_priority(job.priority);

  JobOptions texts = job;
  if (!given("--window") && other.calibration().window() > 0) texts.window = other.calibration().window();
  if (!given("--calibration-tokens")) texts.calibration_tokens = other.calibration().tokens();
  if (!given("--evaluation-tokens")) texts.evaluation_tokens = other.evaluation().tokens();
  if (!given("--add-special-tokens")) texts.add_special_tokens = other.calibration().add_special_tokens();
  ABSL_RETURN_IF_ERROR(SetTexts(texts, draft));
  for (v1::Data* data : {draft.spec.mutable_calibration(), draft.spec.mutable_evaluation()}) {
    data->set_window(texts.window);
    data->set_add_special_tokens(texts.add_special_tokens);
  }
  draft.spec.mutable_calibration()->set_tokens(texts.calibration_tokens);
  draft.spec.mutable_evaluation()->set_tokens(texts.evaluation_tokens);
  return draft;
}

absl::Status HashDraft(const CancelToken& cancel, const OnTransfer& on_transfer, JobDraft& draft) {
  const auto hash = [&](const std::string& path, v1::Data* data) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const auto digests, HashAll({&path, 1}, cancel, nullptr));
    *data->mutable_blob() = ToProto(digests[0]);
    return absl::OkStatus();
  };
  if (!draft.calibration.empty()) ABSL_RETURN_IF_ERROR(hash(draft.calibration, draft.spec.mutable_calibration()));
  if (!draft.evaluation.empty()) ABSL_RETURN_IF_ERROR(hash(draft.evaluation, draft.spec.mutable_evaluation()));
  if (!draft.model.has_value() || draft.manifest.has_value()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(draft.manifest, HashModel(*draft.model, cancel, on_transfer));
  return absl::OkStatus();
}

absl::Status UploadTexts(Client& client, JobDraft& draft) {
  if (!draft.calibration.empty()) {
    ABSL_RETURN_IF_ERROR(UploadText(client, draft.calibration, draft.spec.mutable_calibration()));
  }
  if (draft.evaluation.empty()) return absl::OkStatus();
  return UploadText(client, draft.evaluation, draft.spec.mutable_evaluation());
}

absl::StatusOr<v1::Model> UploadDraft(const JobOptions& options, Client& client, const OnTransfer& on_transfer,
                                      JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(UploadTexts(client, draft));
  absl::StatusOr<v1::Model> model =
      draft.model.has_value() ? client.UploadModel(*draft.model, *draft.manifest, draft.model_name, on_transfer)
                              : FindModel(client, options.model);
  if (model.ok()) {
    draft.spec.set_model(model->name());
    if (draft.spec.display_name().empty()) draft.spec.set_display_name(model->display_name());
  }
  if (draft.model.has_value() || model.ok() || ExitCodeOf(model.status()) != ExitCode::kNotFound) return model;
  return IsHubName(options.model) ? HubModelMissingError(options.model, draft.hub_caches)
                                  : ModelUnknownError(options.model);
}

}  // namespace bitwright::client
