#include "workers/tokenizer/config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/decoder_config.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/json_reader.h"
#include "workers/tokenizer/normalizer_config.h"
#include "workers/tokenizer/pre_tokenizer_config.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<AddedToken> ReadAddedToken(const JsonField& field) {
  AddedToken token;
  ABSL_ASSIGN_OR_RETURN(const JsonField id, field.At("id"));
  ABSL_ASSIGN_OR_RETURN(token.id, id.Id());
  ABSL_ASSIGN_OR_RETURN(token.content, field.StringAt("content"));
  ABSL_ASSIGN_OR_RETURN(token.single_word, field.BoolAt("single_word"));
  ABSL_ASSIGN_OR_RETURN(token.lstrip, field.BoolAt("lstrip"));
  ABSL_ASSIGN_OR_RETURN(token.rstrip, field.BoolAt("rstrip"));
  ABSL_ASSIGN_OR_RETURN(token.normalized, field.BoolAt("normalized"));
  ABSL_ASSIGN_OR_RETURN(token.special, field.BoolAt("special"));
  if (token.content.empty() || token.content.size() > kMaxAddedTokenBytes) {
    return TokenizerInvalidError(field.path() + ".content",
                                 absl::StrCat("must have 1 to ", kMaxAddedTokenBytes, " bytes"));
  }
  return token;
}

absl::Status CheckVersion(const JsonField& root) {
  ABSL_ASSIGN_OR_RETURN(const JsonField version, root.Optional("version"));
  if (version.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string text, version.String());
  return text == "1.0" ? absl::OkStatus() : TokenizerUnsupportedError("version", text, "1.0");
}

// A normalizer may make several characters of the text's first one. To the reference library each of them stands at the
// text's start, so that several pieces are its first; we do not follow them through other pre-tokenizers.
absl::Status CheckFirst(const TokenizerConfig& config) {
  for (size_t i = 1; i < config.pre_tokenizers.size() && !config.normalizer.empty(); ++i) {
    const PreTokenizerStep& step = config.pre_tokenizers[i];
    if (step.kind != PreTokenizerStep::Kind::kMetaspace || step.prepend_scheme != PrependScheme::kFirst) continue;
    return TokenizerUnsupportedError(step.field + ".prepend_scheme", "\"first\" behind another pre-tokenizer",
                                     "always, never, or no normalizer");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenizerConfig> ReadTokenizerConfig(std::string_view text) {
  ABSL_ASSIGN_OR_RETURN(TokenizerJson parts, ReadTokenizerJson(text));
  const JsonField root(parts.settings.get(), "");
  TokenizerConfig config;
  ABSL_ASSIGN_OR_RETURN(const JsonField model, root.At("model"));
  ABSL_RETURN_IF_ERROR(CheckVersion(root));
  ABSL_ASSIGN_OR_RETURN(const JsonField normalizer, root.Optional("normalizer"));
  ABSL_ASSIGN_OR_RETURN(config.normalizer, ReadNormalizer(normalizer));
  ABSL_ASSIGN_OR_RETURN(const JsonField pre_tokenizer, root.Optional("pre_tokenizer"));
  ABSL_ASSIGN_OR_RETURN(config.pre_tokenizers, ReadPreTokenizer(pre_tokenizer));
  ABSL_RETURN_IF_ERROR(CheckFirst(config));
  ABSL_ASSIGN_OR_RETURN(const JsonField post_processor, root.Optional("post_processor"));
  ABSL_ASSIGN_OR_RETURN(config.special_tokens, ReadPostProcessor(post_processor));
  ABSL_ASSIGN_OR_RETURN(const JsonField decoder, root.Optional("decoder"));
  ABSL_ASSIGN_OR_RETURN(config.decoder, ReadDecoder(decoder));
  ABSL_ASSIGN_OR_RETURN(config.model, ReadTokenModel(model, parts));
  ABSL_ASSIGN_OR_RETURN(const JsonField added, root.Optional("added_tokens"));
  if (added.is_null()) return config;
  ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, added.Items());
  for (const JsonField& item : items) {
    ABSL_ASSIGN_OR_RETURN(config.added_tokens.emplace_back(), ReadAddedToken(item));
  }
  return config;
}

}  // namespace bitwright::worker
