#include "workers/choices/choices_errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {
namespace {

constexpr size_t kMostShown = 400;

}  // namespace

absl::Status QuestionInvalidError(int64_t line, std::string_view problem) {
  return MakeError(absl::StatusCode::kInvalidArgument, "QUESTION_INVALID",
                   absl::StrCat("line ", line, " of the questions ", std::string(problem.substr(0, kMostShown))),
                   {{"line", absl::StrCat(line)}});
}

absl::Status QuestionsMissingError() {
  return MakeError(absl::StatusCode::kInvalidArgument, "QUESTION_INVALID",
                   "the file has no questions; give JSON lines with the fields of HellaSwag, ARC, PIQA, WinoGrande or "
                   "BoolQ, one question each");
}

absl::Status QuestionsTooLargeError(int64_t bytes, int64_t limit, int64_t questions) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "QUESTION_INVALID",
      absl::StrCat("the first ", questions, " questions take ", bytes, " bytes as tokens, above the limit of ", limit,
                   "; ask fewer questions (--questions), or give them in several files"),
      {{"limit", absl::StrCat(limit)}});
}

}  // namespace bitwright::worker
