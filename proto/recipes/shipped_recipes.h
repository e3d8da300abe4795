#pragma once

#include <string_view>
#include <vector>

namespace bitwright {

// The recipes of this folder, each a bitwright.v1.Recipe in text format, in order of file name.
std::vector<std::string_view> ShippedRecipes();

}  // namespace bitwright
