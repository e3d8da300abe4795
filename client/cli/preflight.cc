#include "client/cli/preflight.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_join.h"
#include "client/api/client_errors.h"
#include "client/cli/cli_errors.h"
#include "client/cli/find_resource.h"
#include "client/cli/near_words.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "proto/report/job_goals.h"

namespace bitwright::client {
namespace {

// The architectures that a model's config.json names; none where that is not as it should be: the inspection says so.
std::vector<std::string> ArchitecturesOf(const ModelDir& model) {
  // Beside a GGUF lies what may be the config of more than it holds.
  if (!model.files.empty() && !model.Has("config.json")) return {};
  const auto text = ReadWholeFile(model.path + "/config.json", FileUnreadableError);
  if (!text.ok()) return {};
  const auto config = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  std::vector<std::string> names;
  if (!config.is_object() || !config.contains("architectures") || !config["architectures"].is_array()) return names;
  for (const auto& name : config["architectures"]) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

absl::Status CheckArchitecture(const v1::Capabilities& server, const ModelDir& model) {
  std::vector<std::string> known;
  for (const auto& one : server.architectures()) known.push_back(one.architecture());
  const std::vector<std::string> names = ArchitecturesOf(model);
  if (known.empty() || names.empty()) return absl::OkStatus();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return absl::OkStatus();
  }
  return ArchitectureUnsupportedError(names[0], absl::StrJoin(known, ", "));
}

absl::Status CheckTarget(const v1::Capabilities& server, const std::string& target) {
  std::vector<std::string> known;
  for (const auto& one : server.targets()) known.push_back(one.name());
  if (known.empty() || target.empty() || std::find(known.begin(), known.end(), target) != known.end()) {
    return absl::OkStatus();
  }
  return TargetUnknownError(target, DidYouMean(target, known), absl::StrJoin(known, ", "));
}

}  // namespace

absl::Status CheckAgainst(const v1::Capabilities& server, const JobDraft& draft) {
  if (draft.model.has_value()) ABSL_RETURN_IF_ERROR(CheckArchitecture(server, *draft.model));
  for (const v1::Goal& goal : GoalsOf(draft.spec)) ABSL_RETURN_IF_ERROR(CheckTarget(server, goal.target()));
  return absl::OkStatus();
}

absl::Status Preflight(Client& client, JobDraft& draft) {
  const auto capabilities = client.GetCapabilities();
  if (!capabilities.ok() && !absl::IsUnimplemented(capabilities.status())) return capabilities.status();
  if (capabilities.ok()) ABSL_RETURN_IF_ERROR(CheckAgainst(*capabilities, draft));
  if (draft.spec.recipe().empty()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const v1::Recipe recipe, FindRecipe(client, draft.spec.recipe()));
  draft.spec.set_recipe(FullName(Collection::kRecipes, recipe.name()));
  return absl::OkStatus();
}

int64_t NeededBytes(int64_t model_bytes, const v1::Budget& budget) {
  if (budget.kind_case() == v1::Budget::kArtifactBytes) return std::max<int64_t>(budget.artifact_bytes(), 1);
  constexpr double kMostBits = 32;
  const double share = std::min(budget.average_bits(), kMostBits) / kMostBits;
  return std::max<int64_t>(static_cast<int64_t>(share * static_cast<double>(model_bytes)), 1);
}

int64_t NeededBytes(const v1::GoalEstimate& estimate) {
  const v1::Budget& budget = estimate.goal().budget();
  int64_t most = estimate.artifact_bytes();
  const auto at_most = [&](int64_t bytes) { most = most == 0 ? bytes : std::min(most, bytes); };
  if (budget.kind_case() == v1::Budget::kArtifactBytes) at_most(budget.artifact_bytes());
  const double bits = estimate.largest_average_bits() - estimate.smallest_average_bits();
  if (budget.kind_case() != v1::Budget::kAverageBits || !(bits > 0)) return most;
  const double share = std::clamp((budget.average_bits() - estimate.smallest_average_bits()) / bits, 0.0, 1.0);
  const auto range = static_cast<double>(estimate.largest_artifact_bytes() - estimate.smallest_artifact_bytes());
  at_most(estimate.smallest_artifact_bytes() + static_cast<int64_t>(share * range));
  return most;
}

}  // namespace bitwright::client
