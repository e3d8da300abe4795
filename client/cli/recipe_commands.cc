#include "client/cli/recipe_commands.h"

#include "client/api/recipe_file.h"
#include "client/cli/job_spec.h"
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
  ABSL_ASSIGN_OR_RETURN(const v1::Recipe recipe,
                        client.GetRecipe(FullName(Collection::kRecipes, context.options.name)));
  context.console.Result(RecipeText(recipe), recipe);
  return ExitCode::kOk;
}

}  // namespace bitwright::client
