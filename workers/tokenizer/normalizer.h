#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright::worker {

enum class Normalizer { kNfc, kNfd, kNfkc, kNfkd, kLowercase };

// Applies the steps in order. Lowercase maps each code point alone (so a final capital sigma becomes U+03C3, as in the
// reference library). `text` is well-formed UTF-8, and so is the result.
// TEXT_TOO_LONG when a step would pass ICU's limit of 2 GiB.
absl::StatusOr<std::string> Normalize(std::span<const Normalizer> steps, std::string_view text);

}  // namespace bitwright::worker
