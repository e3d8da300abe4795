#include "client/cli/job_draft.h"

#include <algorithm>
#include <filesystem>
#include <functional>
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
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "proto/inputs/data_kind.h"
#include "proto/inputs/model_folder.h"
#include "proto/transfer/local_file.h"

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

using Texts = google::protobuf::RepeatedPtrField<v1::Data>;

// A text; `data` keeps what is not about the file.
absl::Status SetData(const JobOptions& options, const DataFile& file, const std::string& kind, int64_t tokens,
                     v1::Data* data) {
  ABSL_RETURN_IF_ERROR(CheckDataFile(file, kind, options.window, data));
  data->set_window(options.window);
  data->set_tokens(tokens);
  data->set_add_special_tokens(options.add_special_tokens);
  return absl::OkStatus();
}

absl::Status CheckTextCount(std::string_view use, size_t count) {
  return count <= size_t{limits::kMaxTexts} ? absl::OkStatus() : TooManyTextsError(use, count);
}

// What each of several texts is to give.
int64_t ShareOf(int64_t tokens, size_t texts) { return tokens / static_cast<int64_t>(std::max<size_t>(texts, 1)); }

// A text to calibrate on, or the one within this program.
absl::Status AddCalibration(const JobOptions& options, const std::string& typed, int64_t tokens, JobDraft& draft) {
  DataFile file{typed, typed, ""};
  std::string kind = options.data_kind;
  if (typed == kSampleWord) {
    if (draft.sample == nullptr) {
      ABSL_ASSIGN_OR_RETURN(draft.sample, SampleText::Make());
    }
    file = {draft.sample->path(), std::string(kSampleWord), std::string(kSampleName)};
    kind = DataKindName(v1::Data::TEXT);
  }
  draft.calibration.push_back(file.path);
  return SetData(options, file, kind, tokens, draft.spec.add_calibration());
}

// Those that are given take the place of all that the draft has of that use.
absl::Status SetTexts(const JobOptions& options, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(CheckTextCount("calibration", options.calibration.size()));
  ABSL_RETURN_IF_ERROR(CheckTextCount("evaluation", options.evaluation.size()));
  if (!options.calibration.empty()) draft.spec.clear_calibration();
  const int64_t tokens = ShareOf(options.calibration_tokens, options.calibration.size());
  for (const std::string& typed : options.calibration) {
    ABSL_RETURN_IF_ERROR(AddCalibration(options, typed, tokens, draft));
  }
  if (!options.evaluation.empty()) draft.spec.clear_evaluation();
  for (const std::string& path : options.evaluation) {
    draft.evaluation.push_back(path);
    ABSL_RETURN_IF_ERROR(
        SetData(options, {path, path, ""}, options.data_kind, options.evaluation_tokens, draft.spec.add_evaluation()));
  }
  return absl::OkStatus();
}

// A file of questions is read where the tokenizer is.
absl::Status AddChoices(const JobOptions& options, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(CheckTextCount("choices", options.choices.size()));
  if (!options.choices.empty()) draft.spec.clear_choices();
  for (const std::string& path : options.choices) {
    ABSL_ASSIGN_OR_RETURN(const LocalFile opened, LocalFile::Open(path, kFileErrors));
    if (opened.size_bytes() == 0) return QuestionsMissingError(path);
    draft.choices.push_back(path);
    draft.spec.add_choices()->set_display_name(FitDisplayName(fs::path(path).filename().string()));
  }
  for (v1::ChoiceFile& file : *draft.spec.mutable_choices()) {
    if (options.questions > 0) file.set_questions(options.questions);
  }
  return absl::OkStatus();
}

void SetSample(const JobOptions& options, v1::JobSpec& spec) {
  spec.clear_sample();
  if (options.sample_tokens == 0) return;
  spec.mutable_sample()->set_prompt(options.sample);
  // The service's default is less where a model has few positions.
  if (options.given.contains("--sample-tokens")) spec.mutable_sample()->set_tokens(options.sample_tokens);
}

// The options with what is not given taken from another job: new texts are used as its texts are.
JobOptions LikeTexts(const v1::JobSpec& other, JobOptions options) {
  const auto given = [&](const char* option) { return options.given.contains(option); };
  if (other.calibration().empty() || other.evaluation().empty()) return options;
  if (!given("--window")) options.window = other.calibration(0).window();
  if (!given("--add-special-tokens")) options.add_special_tokens = other.calibration(0).add_special_tokens();
  if (!given("--evaluation-tokens")) options.evaluation_tokens = other.evaluation(0).tokens();
  if (given("--calibration-tokens")) return options;
  options.calibration_tokens = 0;
  for (const v1::Data& data : other.calibration()) options.calibration_tokens += data.tokens();
  return options;
}

bool NeedsTokenizer(const v1::JobSpec& spec) {
  const auto is_text = [](const v1::Data& data) { return data.kind() != v1::Data::TOKEN_IDS_JSONL; };
  return !spec.choices().empty() || !spec.sample().prompt().empty() ||
         std::ranges::any_of(spec.calibration(), is_text) || std::ranges::any_of(spec.evaluation(), is_text);
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

// Names the blobs of those texts whose files there are.
template <typename Files>
absl::Status SetBlobs(const std::vector<std::string>& paths,
                      const std::function<absl::StatusOr<BlobDigest>(const std::string&)>& digest_of, Files& texts) {
  for (size_t t = 0; t < paths.size(); ++t) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, digest_of(paths[t]));
    *texts[static_cast<int>(t)].mutable_blob() = ToProto(digest);
  }
  return absl::OkStatus();
}

absl::Status SetBlobs(const std::function<absl::StatusOr<BlobDigest>(const std::string&)>& digest_of, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(SetBlobs(draft.calibration, digest_of, *draft.spec.mutable_calibration()));
  ABSL_RETURN_IF_ERROR(SetBlobs(draft.evaluation, digest_of, *draft.spec.mutable_evaluation()));
  return SetBlobs(draft.choices, digest_of, *draft.spec.mutable_choices());
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
  ABSL_RETURN_IF_ERROR(AddChoices(job, draft));
  SetSample(job, draft.spec);
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

  ABSL_RETURN_IF_ERROR(SetTexts(LikeTexts(other, job), draft));
  ABSL_RETURN_IF_ERROR(AddChoices(job, draft));
  if (given("--sample") || given("--sample-tokens")) SetSample(job, draft.spec);
  for (Texts* texts : {draft.spec.mutable_calibration(), draft.spec.mutable_evaluation()}) {
    const bool calibrates = texts == draft.spec.mutable_calibration();
    const int64_t tokens =
        calibrates ? ShareOf(job.calibration_tokens, static_cast<size_t>(texts->size())) : job.evaluation_tokens;
    for (v1::Data& data : *texts) {
      if (given("--window")) data.set_window(job.window);
      if (given("--add-special-tokens")) data.set_add_special_tokens(job.add_special_tokens);
      if (given(calibrates ? "--calibration-tokens" : "--evaluation-tokens")) data.set_tokens(tokens);
    }
  }
  return draft;
}

absl::Status HashDraft(const CancelToken& cancel, const OnTransfer& on_transfer, JobDraft& draft) {
  const auto hash = [&](const std::string& path) -> absl::StatusOr<BlobDigest> {
    ABSL_ASSIGN_OR_RETURN(const auto digests, HashAll({&path, 1}, cancel, nullptr));
    return digests[0];
  };
  ABSL_RETURN_IF_ERROR(SetBlobs(hash, draft));
  if (!draft.model.has_value() || draft.manifest.has_value()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(draft.manifest, HashModel(*draft.model, cancel, on_transfer));
  return absl::OkStatus();
}

absl::Status UploadTexts(Client& client, JobDraft& draft) {
  return SetBlobs([&](const std::string& path) { return client.UploadFile(path); }, draft);
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
