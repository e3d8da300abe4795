#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/json_fields.h"

namespace bitwright::worker {

struct SpecialTokens {
  std::vector<int32_t> prefix;
  std::vector<int32_t> suffix;
};

// "post_processor" of a tokenizer.json: what it puts around a text. TOKENIZER_INVALID, TOKENIZER_UNSUPPORTED.
absl::StatusOr<SpecialTokens> ReadPostProcessor(const JsonField& field);

}  // namespace bitwright::worker
