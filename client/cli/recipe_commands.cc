#include "client/cli/recipe_commands.h"

#include "client/api/recipe_file.h"
#include "client/cli/find_resource.h"
#include "client/cli/resource_text.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {

absl::StatusOr<ExitCode> RecipeList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const auto recipes, client.ListRecipes());
  v1::ListRecipesResponse all;
  all.mutable_recipes()->Add(recipes.begin(), recipes.end());
  context.console.Result(RecipeTable(recipes), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RecipeShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Recipe recipe, FindRecipe(client, context.options.name));
  v1::Recipe as_file = recipe;  // which has an id of its own, not the name of a resource
  as_file.set_name(IdOf(Collection::kRecipes, recipe.name()));
  context.console.Result(RecipeText(as_file), recipe);
  return ExitCode::kOk;
}

}  // namespace bitwright::client
