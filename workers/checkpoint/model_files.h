#pragma once

#include <map>
#include <string>

namespace bitwright::worker {

// The files of a model: name within the model → path on this machine. Names are checked manifest paths.
using ModelFiles = std::map<std::string, std::string>;

}  // namespace bitwright::worker
