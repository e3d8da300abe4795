#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// All INVALID_ARGUMENT: the model's template or the caller's conversation, so never worth a retry.

// CHAT_TEMPLATE_INVALID: the template breaks Jinja's grammar; metadata: line.
absl::Status ChatTemplateInvalidError(int line, std::string_view problem);
// CHAT_TEMPLATE_UNSUPPORTED: in order, but needs a part that we do not have; metadata: line.
absl::Status ChatTemplateUnsupportedError(int line, std::string_view part);
// CHAT_TEMPLATE_FAILED: the template refuses this conversation, or computes what cannot be; metadata: line.
absl::Status ChatTemplateFailedError(int line, std::string_view problem);
// CHAT_TEMPLATE_LIMIT: rendering costs more than a template may; metadata: limit.
absl::Status ChatTemplateLimitError(std::string_view what, int64_t limit);
// CHAT_TEMPLATE_MISSING: a text of conversations and a model without a template.
absl::Status ChatTemplateMissingError();

// DATA_INVALID: a line of documents, counted from 1, that is none; metadata: line.
absl::Status DocumentInvalidError(int64_t line, std::string_view problem);
// An error of the template, with the line of the document that it was met at.
absl::Status DocumentRefusedError(int64_t line, const absl::Status& status);

// What a value refuses inside of a template; the interpreter adds the line (ChatTemplateFailedError).
absl::Status ValueError(std::string_view problem);
// A filter or a test that we do not have, met inside of a template; metadata: part. The interpreter adds the line
// (ChatTemplateUnsupportedError).
absl::Status UnsupportedError(std::string_view part);

}  // namespace bitwright::worker
