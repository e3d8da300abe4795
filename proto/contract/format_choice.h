#pragma once

#include <cstdint>
#include <string_view>

#include "bitwright/v1/recipes.pb.h"

namespace bitwright {

// Whether a recipe leaves plans a format of this name, width and group size (FormatOption).
bool AllowsFormat(const v1::Recipe::Formats& formats, std::string_view name, int32_t bits, int32_t group_size);

}  // namespace bitwright
