#include "proto/base/base_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright {

absl::Status InterruptedError() {
  return MakeError(absl::StatusCode::kCancelled, "INTERRUPTED", "interrupted before the end");
}

absl::Status FailpointsInvalidError(std::string_view entry, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "FAILPOINTS_INVALID",
                   "failpoint '" + std::string(entry) + "': " + std::string(why) +
                       "; see the README of tests/e2e/chaos, or unset BITWRIGHT_FAILPOINTS",
                   {{"entry", std::string(entry)}});
}

absl::Status TextInvalidError(std::string_view field, std::string_view text, size_t at) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TEXT_INVALID",
                   "field '" + std::string(field) + "', '" + std::string(text.substr(0, 80)) +
                       "', is not UTF-8 at byte " + std::to_string(at) + "; give UTF-8 text",
                   {{"field", std::string(field)}, {"offset", std::to_string(at)}});
}

}  // namespace bitwright
