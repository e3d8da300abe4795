#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/tokenizer/charsmap.h"
#include "workers/tokenizer/normalizer.h"

namespace bitwright::worker {

// Steps of a normalizer that need Unicode's tables. Texts are well-formed UTF-8.

// TEXT_TOO_LONG when the result could pass ICU's limit of 2 GiB.
absl::StatusOr<std::string> ToForm(UnicodeForm form, std::string_view text);
std::string ToLowercase(std::string_view text);
std::string_view StripSpace(const StripStep& strip, std::string_view text);
// TEXT_TOO_LONG, as ToForm, and of the budget.
absl::StatusOr<std::string> ReplaceGraphemes(const Charsmap& charsmap, std::string_view text,
                                             const PatternBudget& budget);

}  // namespace bitwright::worker
