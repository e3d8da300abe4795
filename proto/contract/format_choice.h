#pragma once

#include <cstdint>
#include <string_view>

#include "bitwright/v1/recipes.pb.h"

namespace bitwright {

// Whether a recipe leaves plans a format of this name, width and group size (FormatOption). Some must be named
// (kFormatsOnRequest).
bool AllowsFormat(const v1::Recipe::Formats& formats, std::string_view name, int32_t bits, int32_t group_size);

// What is left to embedding and output head: `formats`, or those that it names for them.
v1::Recipe::Formats FormatsOfEnds(const v1::Recipe::Formats& formats);

}  // namespace bitwright
