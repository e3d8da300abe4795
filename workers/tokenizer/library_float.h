#pragma once

#include <string_view>

namespace bitwright::worker {

// The value of a JSON number as the reference library reads it: its digits as one integer of 64 bits, rounded to a
// double, times or divided by a power of ten, rounded again. So it may lie one step beside the nearest double, which
// decides between ways to cut a text whose scores are equal but for that. Infinite where the exponent is too large.
double LibraryFloat(std::string_view number);

}  // namespace bitwright::worker
