#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/recipes.pb.h"

namespace bitwright::server {

// The recipes that the server ships, by name, which is "recipes/{id}" here. Immutable.
class RecipeResources {
 public:
  // INTERNAL, reason RECIPE_INVALID: a text is no Recipe.
  static absl::StatusOr<RecipeResources> Parse(const std::vector<std::string_view>& texts);

  const std::vector<v1::Recipe>& recipes() const { return recipes_; }
  // By resource name, "recipes/{id}". NOT_FOUND, reason RECIPE_NOT_FOUND; INVALID_ARGUMENT, reason NAME_INVALID.
  absl::StatusOr<v1::Recipe> Get(const std::string& name) const;
  // By resource name or by id alone; nothing where there is none.
  std::optional<v1::Recipe> Find(const std::string& name) const;

 private:
  std::vector<v1::Recipe> recipes_;
};

}  // namespace bitwright::server
