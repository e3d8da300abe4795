#pragma once

#include <cstddef>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/replacer.h"

namespace bitwright::worker {

inline constexpr size_t kMaxSteps = 64;  // of normalizers, pre-tokenizers or decoders, all levels of sequences together

// Reads a part that may be null or a Sequence of parts under `list`, to any depth: calls `read` with each part that is
// neither, and its type. `count` counts them. TOKENIZER_INVALID, and what `read` returns.
absl::Status ReadSteps(const JsonField& field, std::string_view list, size_t& count,
                       absl::FunctionRef<absl::Status(const JsonField&, const std::string&)> read);

// A Replace of a normalizer or decoder.
absl::StatusOr<Replacement> ReadReplacement(const JsonField& field);

}  // namespace bitwright::worker
