#include "workers/chat/chat_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright::worker {
namespace {

constexpr size_t kMostShown = 300;

absl::Status Refuse(std::string_view reason, int line, std::string_view problem, std::string_view remedy) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason,
                   "chat template, line " + std::to_string(line) + ": " + std::string(problem.substr(0, kMostShown)) +
                       std::string(remedy),
                   {{"line", std::to_string(line)}});
}

}  // namespace

absl::Status ChatTemplateInvalidError(int line, std::string_view problem) {
  return Refuse("CHAT_TEMPLATE_INVALID", line, problem, "; give the texts rendered, with a field 'text'");
}

absl::Status ChatTemplateUnsupportedError(int line, std::string_view part) {
  return Refuse("CHAT_TEMPLATE_UNSUPPORTED", line, std::string(part) + " is not supported",
                "; give the texts rendered, with a field 'text'");
}

absl::Status ChatTemplateFailedError(int line, std::string_view problem) {
  return Refuse("CHAT_TEMPLATE_FAILED", line, problem, "");
}

absl::Status ChatTemplateLimitError(std::string_view what, int64_t limit) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "CHAT_TEMPLATE_LIMIT",
      "the chat template needs more than " + std::to_string(limit) + " " + std::string(what) + " for one conversation",
      {{"limit", std::to_string(limit)}});
}

absl::Status ChatTemplateMissingError() {
  return MakeError(absl::StatusCode::kInvalidArgument, "CHAT_TEMPLATE_MISSING",
                   "the data has 'messages', but the model has no chat template (chat_template.jinja, or chat_template "
                   "in tokenizer_config.json); give the texts rendered, with a field 'text'");
}

absl::Status UnsupportedError(std::string_view part) {
  return MakeError(absl::StatusCode::kInvalidArgument, "CHAT_TEMPLATE_UNSUPPORTED",
                   std::string(part) + " is not supported", {{"part", std::string(part)}});
}

absl::Status DocumentInvalidError(int64_t line, std::string_view problem) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "DATA_INVALID",
      "line " + std::to_string(line) + " of the data " + std::string(problem) + "; give JSON lines, one document each",
      {{"line", std::to_string(line)}});
}

absl::Status DocumentRefusedError(int64_t line, const absl::Status& status) {
  const auto detail = GetErrorDetail(status);
  const bool ours = detail && !detail->reason.empty();
  return MakeError(status.code(), ours ? detail->reason : "CHAT_TEMPLATE_FAILED",
                   "line " + std::to_string(line) + " of the data: " + std::string(status.message()),
                   {{"document_line", std::to_string(line)}});
}

absl::Status ValueError(std::string_view problem) {
  return MakeError(absl::StatusCode::kInvalidArgument, "CHAT_TEMPLATE_FAILED", problem);
}

}  // namespace bitwright::worker
