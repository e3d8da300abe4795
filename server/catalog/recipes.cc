#include "server/catalog/recipes.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/catalog/catalog_errors.h"
#include "server/jobs/job_errors.h"

namespace bitwright::server {

absl::StatusOr<RecipeCatalog> RecipeCatalog::Parse(const std::vector<std::string_view>& texts) {
  RecipeCatalog catalog;
  for (const std::string_view text : texts) {
    v1::Recipe recipe;
    if (!google::protobuf::TextFormat::ParseFromString(std::string(text), &recipe) || recipe.name().empty()) {
      return ShippedRecipeInvalid(text);
    }
    catalog.recipes_.push_back(std::move(recipe));
  }
  std::sort(catalog.recipes_.begin(), catalog.recipes_.end(),
            [](const v1::Recipe& a, const v1::Recipe& b) { return a.name() < b.name(); });
  return catalog;
}

absl::StatusOr<v1::Recipe> RecipeCatalog::Get(const std::string& name) const {
  ABSL_ASSIGN_OR_RETURN(const std::string id, ParseResourceName(name, "recipes"));
  for (const v1::Recipe& recipe : recipes_) {
    if (recipe.name() == id) return recipe;
  }
  return RecipeNotFound(name);
}

}  // namespace bitwright::server
