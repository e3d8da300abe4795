#include "proto/contract/contract_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright {

absl::Status DigestInvalidError(std::string_view text, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DIGEST_INVALID",
                   "digest '" + std::string(text.substr(0, 120)) + "' is not valid: " + std::string(why) +
                       "; give 64 lower-case hexadecimal digits, '/', and the size in bytes",
                   {{"digest", std::string(text.substr(0, 120))}});
}

absl::Status NameInvalidError(std::string_view name, std::string_view form) {
  const std::string shown(name.substr(0, 160));
  return MakeError(absl::StatusCode::kInvalidArgument, "NAME_INVALID",
                   "name '" + shown + "' does not have the form " + std::string(form), {{"name", shown}});
}

absl::Status ManifestPathInvalidError(std::string_view path, std::string_view why) {
  const std::string shown(path.substr(0, 300));
  return MakeError(
      absl::StatusCode::kInvalidArgument, "MANIFEST_PATH_INVALID",
      "path '" + shown + "' in the manifest " + std::string(why) + "; give a relative path without '.' and '..' parts",
      {{"path", shown}});
}

}  // namespace bitwright
