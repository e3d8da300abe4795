#include "workers/tokenizer/post_processor_config.h"

#include <string>

#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

absl::Status AppendSpecialToken(const JsonField& processor, const JsonField& piece, std::vector<int32_t>& ids) {
  ABSL_ASSIGN_OR_RETURN(const std::string name, piece.StringAt("id"));
  ABSL_ASSIGN_OR_RETURN(const JsonField table, processor.At("special_tokens"));
  ABSL_ASSIGN_OR_RETURN(const JsonField token, table.At(name));
  ABSL_ASSIGN_OR_RETURN(const JsonField list, token.At("ids"));
  ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, list.Items());
  for (const JsonField& item : items) {
    ABSL_ASSIGN_OR_RETURN(ids.emplace_back(), item.Id());
  }
  return absl::OkStatus();
}

absl::Status ReadTemplate(const JsonField& field, SpecialTokens& tokens) {
  ABSL_ASSIGN_OR_RETURN(const JsonField single, field.At("single"));
  ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> pieces, single.Items());
  bool text_seen = false;
  for (const JsonField& piece : pieces) {
    if (piece.Has("SpecialToken")) {
      ABSL_ASSIGN_OR_RETURN(const JsonField token, piece.At("SpecialToken"));
      ABSL_RETURN_IF_ERROR(AppendSpecialToken(field, token, text_seen ? tokens.suffix : tokens.prefix));
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(const JsonField sequence, piece.At("Sequence"));
    ABSL_ASSIGN_OR_RETURN(const std::string id, sequence.StringAt("id"));
    if (id != "A" || text_seen)
      return TokenizerInvalidError(single.path(), "must hold the sequence A once and no other");
    text_seen = true;
  }
  if (!text_seen) return TokenizerInvalidError(single.path(), "must hold the sequence A once");
  return absl::OkStatus();
}

// `templates` counts TemplateProcessing: in the reference library a second one sees the first one's tokens as a pair.
absl::Status ReadProcessor(const JsonField& field, SpecialTokens& tokens, int& templates) {
  if (field.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string type, field.StringAt("type"));
  if (type == "ByteLevel") return absl::OkStatus();  // moves offsets only
  if (type == "Sequence") {
    ABSL_ASSIGN_OR_RETURN(const JsonField list, field.At("processors"));
    ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, list.Items());
    for (const JsonField& item : items) ABSL_RETURN_IF_ERROR(ReadProcessor(item, tokens, templates));
    return absl::OkStatus();
  }
  constexpr std::string_view kSupported = "one TemplateProcessing, ByteLevel, Sequence, null";
  if (type != "TemplateProcessing") return TokenizerUnsupportedError(field.path() + ".type", type, kSupported);
  if (++templates > 1)
    return TokenizerUnsupportedError(field.path() + ".type", "a second TemplateProcessing", kSupported);
  return ReadTemplate(field, tokens);
}

}  // namespace

absl::StatusOr<SpecialTokens> ReadPostProcessor(const JsonField& field) {
  SpecialTokens tokens;
  int templates = 0;
  ABSL_RETURN_IF_ERROR(ReadProcessor(field, tokens, templates));
  return tokens;
}

}  // namespace bitwright::worker
