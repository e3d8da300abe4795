#include "client/cli/find_resource.h"

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/cli_errors.h"
#include "client/cli/near_words.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

constexpr size_t kShortestBeginning = 4;
constexpr int kMostListed = 6;

// What the beginning of a name must be, where the word can be one.
std::optional<std::string> NameBeginning(std::string_view collection, const std::string& typed) {
  const std::string name = FullName(collection, typed);
  const bool is_id = ParseResourceName(name, collection).ok();
  if (!is_id || name.size() < collection.size() + 1 + kShortestBeginning) return std::nullopt;
  return name;
}

// The one resource of those listed that fits. A server that knows no filters lists all, so each is looked at again.
template <typename Resource, typename DisplayName, typename List>
absl::StatusOr<Resource> FindOne(std::string_view collection, const std::string& typed, const absl::Status& not_found,
                                 const DisplayName& display_name, const List& list) {
  std::map<std::string, Resource> found;
  const auto beginning = NameBeginning(collection, typed);
  const auto add = [&](const std::string& filter) {
    const absl::StatusOr<std::vector<Resource>> listed = list(filter);
    if (!listed.ok()) return;
    for (const Resource& one : *listed) {
      if (display_name(one) == typed || (beginning && one.name().starts_with(*beginning)))
        found.emplace(one.name(), one);
    }
  };
  if (beginning) add(Condition("name", *beginning + "*"));
  add(Condition("display_name", typed));
  if (found.empty()) return not_found;
  if (found.size() == 1) return found.begin()->second;
  std::vector<std::string> names;
  for (const auto& [name, one] : found) {
    if (names.size() + 1 == kMostListed) break;
    names.push_back(name);
  }
  return NameAmbiguousError(typed,
                            absl::StrCat(absl::StrJoin(names, ", "), found.size() > names.size() ? " and others" : ""));
}

bool MayBeOther(const absl::Status& status) { return absl::IsNotFound(status) || absl::IsInvalidArgument(status); }

}  // namespace

std::string FullName(std::string_view collection, const std::string& name) {
  return name.find('/') == std::string::npos ? ResourceName(collection, name) : name;
}

std::string IdOf(std::string_view collection, const std::string& name) {
  const std::string prefix = ResourceName(collection, "");
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::string Condition(std::string_view field, std::string_view value) {
  std::string text = absl::StrCat(std::string(field), " = \"");
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

absl::StatusOr<v1::Job> FindJob(Client& client, const std::string& typed) {
  const auto exact = client.GetJob(FullName(Collection::kJobs, typed));
  if (exact.ok() || !MayBeOther(exact.status())) return exact;
  return FindOne<v1::Job>(
      Collection::kJobs, typed, exact.status(), [](const v1::Job& job) { return job.spec().display_name(); },
      [&](const std::string& filter) {
        v1::ListJobsRequest request;
        request.set_filter(filter);
        return client.ListJobs(request, kMostListed);
      });
}

absl::StatusOr<v1::Model> FindModel(Client& client, const std::string& typed) {
  const auto exact = client.GetModel(FullName(Collection::kModels, typed));
  if (exact.ok() || !MayBeOther(exact.status())) return exact;
  auto found = FindOne<v1::Model>(
      Collection::kModels, typed, exact.status(), [](const v1::Model& model) { return model.display_name(); },
      [&](const std::string& filter) { return client.ListModels(kMostListed, filter); });
  if (found.ok() && found->name() != FullName(Collection::kModels, typed)) return client.GetModel(found->name());
  return found;
}

absl::StatusOr<std::string> FindWorker(Client& client, const std::string& typed) {
  const std::string id = IdOf(Collection::kWorkers, typed);
  ABSL_ASSIGN_OR_RETURN(const auto workers, client.ListWorkers());
  std::vector<std::string> ids;
  std::vector<std::string> begin_so;
  for (const v1::Worker& worker : workers) {
    ids.push_back(IdOf(Collection::kWorkers, worker.name()));
    if (ids.back() == id) return worker.name();
    if (id.size() >= kShortestBeginning && ids.back().starts_with(id)) begin_so.push_back(worker.name());
  }
  if (begin_so.size() == 1) return begin_so[0];
  if (begin_so.size() > 1) return NameAmbiguousError(typed, absl::StrJoin(begin_so, ", "));
  return WorkerUnknownError(id, DidYouMean(id, ids));
}

absl::StatusOr<v1::Recipe> FindRecipe(Client& client, const std::string& typed) {
  const std::string id = IdOf(Collection::kRecipes, typed);
  ABSL_ASSIGN_OR_RETURN(const auto recipes, client.ListRecipes());
  std::vector<std::string> ids;
  std::vector<const v1::Recipe*> begin_so;
  for (const v1::Recipe& recipe : recipes) {
    ids.push_back(IdOf(Collection::kRecipes, recipe.name()));  // older servers leave "recipes/" out
    if (ids.back() == id) return recipe;
    if (id.size() >= kShortestBeginning && ids.back().starts_with(id)) begin_so.push_back(&recipe);
  }
  if (begin_so.size() == 1) return *begin_so[0];
  return RecipeUnknownError(id, DidYouMean(id, ids), absl::StrJoin(ids, ", "));
}

}  // namespace bitwright::client
