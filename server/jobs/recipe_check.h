#pragma once

#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"

namespace bitwright::server {

// The recipe with every default filled in: compute F32, GPTQ, searched scales, damping 0.01, sweeps with a re-fit, 8
// windows, middle width 3, 8 checked units, the mixed candidate when no candidates are named, name "inline" when it has
// none. INVALID_ARGUMENT, reason RECIPE_INVALID, naming field, value and limit:
//   name of 1 … 63 lower-case letters, digits, '-'; description at most 1024 bytes; bits 2 … 8, group sizes 0, 16, 32,
//   64, 128 and names of formats that some target has, each once; damping in (0, 1]; windows 1 … 4096; middle_bits and
//   checked_bits 2 … 8; checked_units 1 … 4096; uniform not negative; known enum values.
absl::StatusOr<v1::Recipe> CompleteRecipe(const v1::Recipe& recipe);

// The recipe without its name and description: what work depends on. Renaming a recipe runs nothing again.
v1::Recipe PartsOf(v1::Recipe recipe);

// Of those parts what measuring single units depends on. Recipes that differ elsewhere share it through the action
// cache.
v1::Recipe CheckedPart(v1::Recipe recipe);

// Likewise pricing formats.
v1::Recipe ProfiledPart(v1::Recipe recipe);

// Whether recipe.formats allows an option of a target.
bool OptionAllowed(const v1::Recipe& recipe, const v1::TargetInfo::Unit& unit, const v1::FormatOption& option);

// Every unit of the target has at least one option that the recipe allows. RECIPE_INVALID, naming the first unit
// without one.
absl::Status CheckRecipeFits(const v1::Recipe& recipe, const v1::ModelInfo& info, const v1::TargetInfo& target);

}  // namespace bitwright::server
