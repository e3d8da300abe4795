#include "client/cli/labels.h"

#include "absl/strings/str_cat.h"
#include "client/cli/cli_errors.h"
#include "proto/base/utf8.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"

namespace bitwright::client {
absl::StatusOr<std::map<std::string, std::string>> ParseLabels(std::span<const std::string> texts) {
  std::map<std::string, std::string> labels;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return LabelInvalidError(text, "has no '='");
    const std::string key = text.substr(0, equals);
    const std::string value = text.substr(equals + 1);
    if (!IsLabelKey(key)) {
      return LabelInvalidError(text, "has a wrong key");
    }
    if (value.size() > limits::kMaxLabelValueBytes) return LabelInvalidError(text, "has too long a value");
    if (ValidUtf8Prefix(value) != value.size()) return LabelInvalidError(text, "has a value that is not UTF-8");
    if (!labels.emplace(key, value).second) return LabelInvalidError(text, "has a key that is given twice");
  }
  if (labels.size() > limits::kMaxLabels) {
    return LabelInvalidError(texts.back(), absl::StrCat("is one of more than ", limits::kMaxLabels));
  }
  return labels;
}

}  // namespace bitwright::client
