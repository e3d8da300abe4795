#include "workers/chat/document.h"

#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

bool HasText(const json& document, const char* field) {
  return document.contains(field) && document[field].is_string();
}

}  // namespace

DocumentReader::DocumentReader(ChatSettings settings) : settings_(std::move(settings)) {}
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader::~DocumentReader() = default;

absl::StatusOr<DocumentReader::Document> DocumentReader::Read(std::string_view text, int64_t line) {
  if (static_cast<int64_t>(text.size()) > kMostLineBytes) {
    return DocumentInvalidError(line, "has more than " + std::to_string(kMostLineBytes) + " bytes");
  }
  const json document = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return DocumentInvalidError(line, "is not JSON");
  if (!document.is_object()) return DocumentInvalidError(line, "is not a JSON object");
  for (const char* field : {"text", "content"}) {
    if (HasText(document, field)) return Document{document[field].get<std::string>(), false};
  }
  if (document.contains("messages") && document["messages"].is_array()) {
    absl::StatusOr<std::string> rendered = Rendered(text);
    if (!rendered.ok()) return DocumentRefusedError(line, rendered.status());
    return Document{*std::move(rendered), true};
  }
  if (HasText(document, "prompt") && HasText(document, "completion")) {
    return Document{document["prompt"].get<std::string>() + document["completion"].get<std::string>(), false};
  }
  return DocumentInvalidError(line, "has none of the fields 'text', 'content', 'messages', 'prompt' with 'completion'");
}

absl::StatusOr<std::string> DocumentReader::Rendered(std::string_view text) {
  if (template_ == nullptr) {
    ABSL_ASSIGN_OR_RETURN(ChatTemplate parsed, ChatTemplate::Parse(settings_));
    template_ = std::make_unique<const ChatTemplate>(std::move(parsed));
  }
  return template_->Render(text);
}

}  // namespace bitwright::worker
