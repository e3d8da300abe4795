#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// llama.cpp's name for how a byte-level BPE of a tokenizer.json normalizes a text and cuts it first: it does what the
// name stands for, not what the file says. TARGET_CANNOT_STORE: it has none that is known here.
absl::StatusOr<std::string> GgufFirstCut(const nlohmann::json& tokenizer);

}  // namespace bitwright::worker
