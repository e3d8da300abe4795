#pragma once

#include <string_view>
#include <vector>

namespace bitwright::worker {

// The files of workers/targets/consumers, each a bitwright.v1.ConsumerProfile in text format, in order of file name.
std::vector<std::string_view> ConsumerTexts();

}  // namespace bitwright::worker
