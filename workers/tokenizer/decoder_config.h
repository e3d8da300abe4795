#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/token_decoder.h"

namespace bitwright::worker {

// "decoder" of a tokenizer.json, sequences flattened. TOKENIZER_INVALID, TOKENIZER_UNSUPPORTED.
absl::StatusOr<std::vector<DecoderStep>> ReadDecoder(const JsonField& field);

}  // namespace bitwright::worker
