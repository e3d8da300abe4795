#include "server/resources/recipes.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/jobs/job_errors.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {

absl::StatusOr<RecipeResources> RecipeResources::Parse(const std::vector<std::string_view>& texts) {
  RecipeResources resources;
  for (const std::string_view text : texts) {
    v1::Recipe recipe;
    if (!google::protobuf::TextFormat::ParseFromString(std::string(text), &recipe) || recipe.name().empty()) {
      return ShippedRecipeInvalidError(text);
    }
    recipe.set_name(ResourceName(Collection::kRecipes, recipe.name()));
    resources.recipes_.push_back(std::move(recipe));
  }
  std::sort(resources.recipes_.begin(), resources.recipes_.end(),
            [](const v1::Recipe& a, const v1::Recipe& b) { return a.name() < b.name(); });
  return resources;
}

absl::StatusOr<v1::Recipe> RecipeResources::Get(const std::string& name) const {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kRecipes).status());
  std::optional<v1::Recipe> recipe = Find(name);
  return recipe ? absl::StatusOr<v1::Recipe>(*std::move(recipe)) : RecipeNotFoundError(name);
}

std::optional<v1::Recipe> RecipeResources::Find(const std::string& name) const {
  for (const v1::Recipe& recipe : recipes_) {
    if (recipe.name() == name || recipe.name() == ResourceName(Collection::kRecipes, name)) return recipe;
  }
  return std::nullopt;
}

}  // namespace bitwright::server
