#pragma once

#include <string>

namespace bitwright {

// The name of this machine, as gethostname(2) tells it; empty when it tells none.
std::string HostName();

}  // namespace bitwright
