#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// llama.cpp's name for how a byte-level BPE of a tokenizer.json normalizes a text and cuts it first: it does what the
// name stands for, not what the file says. TARGET_CANNOT_STORE: it has none that is known here.
absl::StatusOr<std::string> GgufFirstCut(const nlohmann::json& tokenizer);

// The inverse: the members "normalizer" and "pre_tokenizer" of a tokenizer.json, and "ignore_merges" of its model, for
// a name of llama.cpp's, or another name that it has for the same. TARGET_CANNOT_STORE: it is not known here.
absl::StatusOr<nlohmann::json> FirstCutSteps(std::string_view name);

}  // namespace bitwright::worker
