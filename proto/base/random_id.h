#pragma once

#include <string>

namespace bitwright {

// Lower-case hexadecimal digits from the system's random source, for names that must not collide: 16 digits are 64
// bits. `digits` is even.
std::string RandomId(int digits = 16);

}  // namespace bitwright
