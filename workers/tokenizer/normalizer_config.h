#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/normalizer.h"

namespace bitwright::worker {

// "normalizer" of a tokenizer.json, sequences flattened. TOKENIZER_INVALID, TOKENIZER_UNSUPPORTED.
absl::StatusOr<std::vector<NormalizerStep>> ReadNormalizer(const JsonField& field);

}  // namespace bitwright::worker
