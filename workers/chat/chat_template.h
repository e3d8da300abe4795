#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// What a model says about conversations.
struct ChatSettings {
  std::string source;                         // of the template, Jinja; empty: the model has none
  std::map<std::string, std::string> tokens;  // "bos_token" → "<s>" …
};

// As transformers finds them: chat_template.jinja wins over "chat_template" in tokenizer_config.json (a string, or a
// list of named templates of which "default" is taken); chat_template.json is the last. Each text may be empty: the
// model lacks the file. CHAT_TEMPLATE_INVALID.
absl::StatusOr<ChatSettings> ReadChatSettings(std::string_view tokenizer_config_json, std::string_view template_jinja,
                                              std::string_view chat_template_json);

// A chat template: Jinja 3 as transformers sets it up (trim_blocks, lstrip_blocks, break and continue, generation
// blocks, an immutable sandbox), but for what no such template uses (include, import, extends, call, recursive loops).
// Renders what transformers' apply_chat_template renders, without a generation prompt. Immutable, thread-safe.
class ChatTemplate {
 public:
  // CHAT_TEMPLATE_INVALID, CHAT_TEMPLATE_UNSUPPORTED, CHAT_TEMPLATE_LIMIT; CHAT_TEMPLATE_MISSING for an empty source.
  static absl::StatusOr<ChatTemplate> Parse(const ChatSettings& settings);
  ChatTemplate(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // The text of one conversation: `document_json` is an object with "messages" and perhaps "tools" and "documents".
  // CHAT_TEMPLATE_FAILED, CHAT_TEMPLATE_LIMIT, CHAT_TEMPLATE_UNSUPPORTED.
  absl::StatusOr<std::string> Render(std::string_view document_json) const;

 private:
  struct Parts;
  explicit ChatTemplate(std::unique_ptr<const Parts> parts);
  std::unique_ptr<const Parts> parts_;
};

}  // namespace bitwright::worker
