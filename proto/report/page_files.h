#pragma once

#include <string_view>

namespace bitwright {

// The text of a file of html/, by its name; empty: there is none.
std::string_view PageFile(std::string_view name);

}  // namespace bitwright
