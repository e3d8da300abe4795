#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/recipes.pb.h"

namespace bitwright::client {

// A recipe in protobuf text format. FILE_UNREADABLE; INVALID_ARGUMENT, reason RECIPE_INVALID, with line and column.
absl::StatusOr<v1::Recipe> ReadRecipeFile(const std::string& path);
std::string RecipeText(const v1::Recipe& recipe);

}  // namespace bitwright::client
