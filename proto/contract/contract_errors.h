#pragma once

#include <string_view>

#include "absl/status/status.h"

// What both sides refuse for its form alone. All INVALID_ARGUMENT.
namespace bitwright {

absl::Status DigestInvalidError(std::string_view text, std::string_view why);        // DIGEST_INVALID
absl::Status NameInvalidError(std::string_view name, std::string_view form);         // NAME_INVALID
absl::Status ManifestPathInvalidError(std::string_view path, std::string_view why);  // MANIFEST_PATH_INVALID

}  // namespace bitwright
