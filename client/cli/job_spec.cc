#include "client/cli/job_spec.h"

#include <filesystem>

#include "client/api/budget.h"
#include "client/api/client_errors.h"
#include "client/api/model_dir.h"
#include "client/api/recipe_file.h"
#include "client/cli/cli_errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "proto/transfer/local_file.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

absl::Status CheckModel(const std::string& model) {
  if (IsFolder(model)) return ScanModelDir(model).status();
  return ParseResourceName(model, Collection::kModels).ok() ? absl::OkStatus() : ModelUnknownError(model);
}

absl::Status DraftData(const JobOptions& options, const std::string& path, int64_t tokens, v1::Data* data) {
  ABSL_RETURN_IF_ERROR(LocalFile::Open(path, kFileErrors).status());
  data->set_kind(DataKind(path));
  data->set_window(options.window);
  data->set_tokens(tokens);
  data->set_add_special_tokens(options.add_special_tokens);
  return absl::OkStatus();
}

}  // namespace

v1::Data::Kind DataKind(std::string_view path) {
  return path.ends_with(".ids.jsonl") ? v1::Data::TOKEN_IDS_JSONL : v1::Data::TEXT;
}

std::string FullName(std::string_view collection, const std::string& name) {
  return name.find('/') == std::string::npos ? ResourceName(collection, name) : name;
}

std::string FolderName(const std::string& dir) {
  std::error_code ignored;
  fs::path path = fs::absolute(dir, ignored).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string().substr(0, limits::kMaxDisplayNameBytes);
}

absl::StatusOr<v1::JobSpec> DraftJobSpec(const JobOptions& options) {
  v1::JobSpec spec;
  ABSL_ASSIGN_OR_RETURN(*spec.mutable_budget(), ParseBudget(options.budget));
  if (options.recipe.ends_with(".textproto")) {
    ABSL_ASSIGN_OR_RETURN(*spec.mutable_inline_recipe(), ReadRecipeFile(options.recipe));
  } else {
    spec.set_recipe(FullName(Collection::kRecipes, options.recipe));
  }
  spec.set_target(options.target);
  spec.set_priority(options.priority);
  ABSL_RETURN_IF_ERROR(CheckModel(options.model));
  spec.set_display_name(options.display_name.empty() && IsFolder(options.model) ? FolderName(options.model)
                                                                                : options.display_name);
  if (!options.calibration.empty()) {
    ABSL_RETURN_IF_ERROR(
        DraftData(options, options.calibration, options.calibration_tokens, spec.mutable_calibration()));
  }
  if (!options.evaluation.empty()) {
    ABSL_RETURN_IF_ERROR(DraftData(options, options.evaluation, options.evaluation_tokens, spec.mutable_evaluation()));
  }
  return spec;
}

absl::Status CompleteJobSpec(const JobOptions& options, Client& client, const OnTransfer& on_transfer,
                             v1::JobSpec& spec) {
  // Small files first: an unreadable text is then found before a large model has travelled.
  if (spec.has_calibration()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, client.UploadFile(options.calibration));
    *spec.mutable_calibration()->mutable_blob() = ToProto(digest);
  }
  if (spec.has_evaluation()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, client.UploadFile(options.evaluation));
    *spec.mutable_evaluation()->mutable_blob() = ToProto(digest);
  }
  if (!IsFolder(options.model)) {
    spec.set_model(options.model);
    return absl::OkStatus();
  }
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, client.UploadModel(options.model, spec.display_name(), on_transfer));
  spec.set_model(model.name());
  return absl::OkStatus();
}

}  // namespace bitwright::client
