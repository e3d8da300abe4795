#pragma once

#include <string_view>

namespace bitwright {

// What stands for the text that ships with Bitwright, deploy/sample/mixed.txt, where a text to calibrate on is asked
// for. A file of that name is given as "./sample".
inline constexpr std::string_view kSampleWord = "sample";
// What reports call it.
inline constexpr std::string_view kSampleName = "sample (ships with Bitwright)";

}  // namespace bitwright
