#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/chat/chat_template.h"

namespace bitwright::worker {

// Reads JSON lines: one document each.
class DocumentReader {
 public:
  explicit DocumentReader(ChatSettings settings);
  DocumentReader(DocumentReader&&) noexcept;
  ~DocumentReader();

  // The text of the document that the line `text` is: its "text" or "content", its "messages" rendered, or its "prompt"
  // followed by its "completion"; the first of these that is there. `line` counts from 1, for errors. DATA_INVALID (no
  // JSON object, none of the fields, more than kMostLineBytes), and the errors of ChatTemplate with the line.
  struct Document {
    std::string text;
    bool is_chat = false;  // rendered with the template, which has put the special tokens there
  };
  absl::StatusOr<Document> Read(std::string_view text, int64_t line);

  static constexpr int64_t kMostLineBytes = int64_t{64} << 20;

 private:
  absl::StatusOr<std::string> Rendered(std::string_view text);

  ChatSettings settings_;
  std::unique_ptr<const ChatTemplate> template_;  // once a conversation was met
};

}  // namespace bitwright::worker
