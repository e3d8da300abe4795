#include "client/api/display_name.h"

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "proto/base/utf8.h"
#include "proto/contract/limits.h"

namespace bitwright::client {

absl::Status CheckDisplayName(std::string_view option, std::string_view name) {
  if (const size_t valid = ValidUtf8Prefix(name); valid != name.size()) {
    return DisplayNameInvalidError(option, name, absl::StrCat("is not UTF-8 at byte ", valid));
  }
  if (name.size() > limits::kMaxDisplayNameBytes) {
    return DisplayNameInvalidError(option, name, absl::StrCat("has ", name.size(), " bytes"));
  }
  return absl::OkStatus();
}

std::string FitDisplayName(std::string_view name) {
  return std::string(CutUtf8(bitwright::Printable(name), limits::kMaxDisplayNameBytes));
}

}  // namespace bitwright::client
