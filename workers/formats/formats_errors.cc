#include "workers/formats/formats_errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status FormatUnknownError(std::string_view name) {
  return MakeError(absl::StatusCode::kInvalidArgument, "FORMAT_UNKNOWN",
                   absl::StrCat("\"", absl::string_view(name.data(), name.size()),
                                "\" is not a format: choose int2 to int8 with group 32, 64, 128 or channel, "
                                "for example int4-g128 or int4-channel"),
                   {{"format", std::string(name)}});
}

}  // namespace bitwright::worker
