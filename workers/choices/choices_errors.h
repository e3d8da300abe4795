#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// All INVALID_ARGUMENT, reason QUESTION_INVALID.

// A line, counted from 1, that is no question. `problem` says what is wrong and what is expected; metadata: line.
absl::Status QuestionInvalidError(int64_t line, std::string_view problem);
absl::Status QuestionsMissingError();                                                  // a file without any
absl::Status QuestionsTooLargeError(int64_t bytes, int64_t limit, int64_t questions);  // more than one task reads

}  // namespace bitwright::worker
