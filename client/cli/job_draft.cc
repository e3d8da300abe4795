#include "client/cli/job_draft.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <span>

#include "absl/strings/str_join.h"
#include "client/api/client_errors.h"
#include "client/api/display_name.h"
#include "client/api/hashing.h"
#include "client/api/recipe_file.h"
#include "client/cli/cli_errors.h"
#include "client/cli/exit_codes.h"
#include "client/cli/find_resource.h"
#include "client/cli/goal_choice.h"
#include "client/cli/hub_cache.h"
#include "client/cli/job_texts.h"
#include "client/cli/labels.h"
#include "client/cli/session.h"
#include "proto/base/status_macros.h"
#include "proto/contract/devices.h"
#include "proto/contract/names.h"
#include "proto/inputs/model_folder.h"
#include "proto/report/job_goals.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

void TakeGoals(std::span<const GoalChoice> choices, JobDraft& draft) {
  std::vector<v1::Goal> goals;
  for (const GoalChoice& choice : choices) {
    goals.push_back(choice.goal);
    draft.goals.push_back(choice.name);
  }
  SetGoals(goals, draft.spec);
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
  ABSL_ASSIGN_OR_RETURN(const std::vector<GoalChoice> goals, ChooseGoals(job));
  TakeGoals(goals, draft);
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--name", job.display_name));
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--model-name", job.model_name));
  ABSL_RETURN_IF_ERROR(SetLabels(job, draft.spec));
  if (options.command != Command::kPlan) {
    if (job.calibration.empty()) return DataMissingError("calibration");
    if (job.evaluation.empty()) return DataMissingError("evaluation");
  }
  ABSL_RETURN_IF_ERROR(SetRecipe(job.recipe, draft.spec));
  draft.spec.set_device(std::string(WantedDevice(job.device)));
  draft.spec.set_priority(job.priority);
  ABSL_RETURN_IF_ERROR(TakeTexts(job, draft));
  ABSL_RETURN_IF_ERROR(SetModel(options, environment, draft));
  draft.spec.set_display_name(job.display_name.empty() ? draft.model_name : job.display_name);
  return draft;
}

absl::StatusOr<JobDraft> ChangeJob(const v1::JobSpec& other, const Options& options) {
  const JobOptions& job = options.job;
  const auto given = [&](const char* option) { return job.given.contains(option); };
  JobDraft draft;
  draft.spec = other;
  ABSL_ASSIGN_OR_RETURN(const std::vector<GoalChoice> goals, ChangeGoals(other, job));
  TakeGoals(goals, draft);
  ABSL_RETURN_IF_ERROR(CheckDisplayName("--name", job.display_name));
  if (given("--name")) draft.spec.set_display_name(job.display_name);
  ABSL_RETURN_IF_ERROR(SetLabels(job, draft.spec));
  if (given("--recipe")) ABSL_RETURN_IF_ERROR(SetRecipe(job.recipe, draft.spec));
  if (given("--device")) draft.spec.set_device(std::string(WantedDevice(job.device)));
  if (given("--priority")) draft.spec.set_priority(job.priority);

  ABSL_RETURN_IF_ERROR(ChangeTexts(other, job, draft));
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
