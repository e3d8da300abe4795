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

absl::Status BlockTypeUnknownError(std::string_view name, std::string_view known) {
  return MakeError(absl::StatusCode::kInvalidArgument, "FORMAT_UNKNOWN",
                   absl::StrCat("\"", absl::string_view(name.data(), name.size()),
                                "\" is not a block type of GGUF that can be written: choose one of ",
                                absl::string_view(known.data(), known.size())),
                   {{"format", std::string(name)}});
}

}  // namespace bitwright::worker
