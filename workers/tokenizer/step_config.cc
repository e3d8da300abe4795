#include "workers/tokenizer/step_config.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {

absl::Status ReadSteps(const JsonField& field, std::string_view list, size_t& count,
                       absl::FunctionRef<absl::Status(const JsonField&, const std::string&)> read) {
  if (field.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string type, field.StringAt("type"));
  if (type == "Sequence") {
    ABSL_ASSIGN_OR_RETURN(const JsonField parts, field.At(list));
    ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, parts.Items());
    for (const JsonField& item : items) ABSL_RETURN_IF_ERROR(ReadSteps(item, list, count, read));
    return absl::OkStatus();
  }
  if (++count > kMaxSteps) {
    return TokenizerInvalidError(field.path(), absl::StrCat("there are more than ", kMaxSteps, " steps"));
  }
  return read(field, type);
}

absl::StatusOr<Replacement> ReadReplacement(const JsonField& field) {
  Replacement replacement{.field = field.path() + ".pattern"};
  ABSL_ASSIGN_OR_RETURN(const JsonField pattern, field.At("pattern"));
  replacement.is_regex = pattern.Has("Regex");
  ABSL_ASSIGN_OR_RETURN(replacement.pattern, pattern.StringAt(replacement.is_regex ? "Regex" : "String"));
  ABSL_ASSIGN_OR_RETURN(replacement.content, field.StringAt("content"));
  return replacement;
}

}  // namespace bitwright::worker
