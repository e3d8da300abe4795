#pragma once

#include <string>

namespace bitwright {

// 16 hexadecimal digits from the system's random source, for resource names.
std::string RandomId();

}  // namespace bitwright
