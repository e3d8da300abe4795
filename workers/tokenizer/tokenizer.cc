#include "workers/tokenizer/tokenizer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "workers/tokenizer/added_tokens.h"
#include "workers/tokenizer/config.h"
#include "workers/tokenizer/sentencepiece_config.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {

struct Tokenizer::Parts {
  // What an id decodes to.
  struct Text {
    std::string token;
    bool known = false;
    bool special = false;
  };
  Normalizer normalizer;
  AddedTokenMatcher verbatim;    // added tokens matched before normalization
  AddedTokenMatcher normalized;  // and after
  PreTokenizer pre_tokenizer;
  std::unique_ptr<const TokenModel> model;
  SpecialTokens special_tokens;
  TokenDecoder decoder;
  std::vector<Text> texts;  // by id
};

namespace {

// The reference library takes an added token's id from the vocabulary, or else counts on from the vocabulary's size,
// and only warns where the file says otherwise. Such a file means two things at once, so we refuse it.
absl::Status CheckAddedIds(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary) {
  auto next = static_cast<int32_t>(vocabulary.count());
  absl::flat_hash_set<int32_t> taken;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const AddedToken& token = tokens[i];
    const auto in_vocabulary = vocabulary.IdOf(token.content);
    const int32_t expected = in_vocabulary ? *in_vocabulary : next++;
    const std::string field = absl::StrCat("added_tokens[", i, "].id");
    if (!taken.insert(token.id).second)
      return TokenizerInvalidError(field, absl::StrCat("the id ", token.id, " occurs twice"));
    if (token.id != expected) {
      return TokenizerInvalidError(field, absl::StrCat("is ", token.id,
                                                       " where the vocabulary and the order of added tokens "
                                                       "give ",
                                                       expected));
    }
    if (!in_vocabulary && vocabulary.Has(token.id)) {
      return TokenizerInvalidError(field,
                                   absl::StrCat("the id ", token.id, " is that of another token in model.vocab"));
    }
  }
  return absl::OkStatus();
}

// Added tokens of which `normalized` is set, with the content that they match and decode to.
absl::Status NormalizeContents(const Normalizer& normalizer, std::vector<AddedToken>& tokens) {
  for (AddedToken& token : tokens) {
    if (!token.normalized || normalizer.empty()) continue;
    PatternBudget budget(static_cast<int64_t>(token.content.size()));
    ABSL_ASSIGN_OR_RETURN(Normalized normalized, normalizer.Normalize(token.content, budget));
    token.content = std::move(normalized.text);
  }
  return absl::OkStatus();
}

// `is_token` tells whether an id is that of a token: the vocabulary may have holes.
absl::Status CheckTemplateIds(const std::vector<int32_t>& ids, const std::function<bool(int32_t)>& is_token) {
  for (int32_t id : ids) {
    if (!is_token(id)) {
      return TokenizerInvalidError("post_processor.special_tokens",
                                   absl::StrCat("the id ", id, " is not in the vocabulary"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<const TokenModel>> MakeModel(TokenModelConfig config, bool byte_alphabet) {
  if (auto* unigram = std::get_if<UnigramConfig>(&config)) {
    if (byte_alphabet) {
      return TokenizerUnsupportedError("pre_tokenizer", "ByteLevel before Unigram", "ByteLevel before BPE");
    }
    return Unigram::Create(std::move(*unigram));
  }
  auto& bpe = std::get<BpeConfig>(config);
  bpe.byte_alphabet = byte_alphabet;
  return Bpe::Create(std::move(bpe));
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::Load(std::string_view tokenizer_json) {
  ABSL_ASSIGN_OR_RETURN(TokenizerConfig config, ReadTokenizerConfig(tokenizer_json));
  return Make(std::move(config));
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::LoadSentencePiece(std::string_view tokenizer_model) {
  ABSL_ASSIGN_OR_RETURN(TokenizerConfig config, ReadSentencePieceConfig(tokenizer_model));
  return Make(std::move(config));
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::Make(TokenizerConfig config) {
  ABSL_ASSIGN_OR_RETURN(Normalizer normalizer, Normalizer::Create(std::move(config.normalizer)));
  ABSL_ASSIGN_OR_RETURN(PreTokenizer pre_tokenizer, PreTokenizer::Create(std::move(config.pre_tokenizers)));
  ABSL_ASSIGN_OR_RETURN(TokenDecoder decoder, TokenDecoder::Create(std::move(config.decoder)));
  ABSL_ASSIGN_OR_RETURN(std::unique_ptr<const TokenModel> model,
                        MakeModel(std::move(config.model), pre_tokenizer.ends_in_bytes()));
  ABSL_RETURN_IF_ERROR(CheckAddedIds(config.added_tokens, model->vocabulary()));

  // Decode tells special tokens by their text, before normalization, as the reference library does.
  absl::flat_hash_set<std::string> special;
  for (const AddedToken& token : config.added_tokens) {
    if (token.special) special.insert(token.content);
  }
  if (!config.normalized_contents) ABSL_RETURN_IF_ERROR(NormalizeContents(normalizer, config.added_tokens));
  ABSL_ASSIGN_OR_RETURN(AddedTokenMatcher verbatim, AddedTokenMatcher::Create(config.added_tokens, false));
  ABSL_ASSIGN_OR_RETURN(AddedTokenMatcher normalized, AddedTokenMatcher::Create(config.added_tokens, true));

  const std::vector<std::string>& tokens = model->vocabulary().tokens();
  std::vector<Parts::Text> texts(tokens.size());
  const auto set = [&](size_t id, const std::string& token) {
    if (id >= texts.size()) texts.resize(id + 1);
    texts[id] = {token, true, special.contains(token)};
  };
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (model->vocabulary().Has(static_cast<int64_t>(id))) set(id, tokens[id]);
  }
  for (const AddedToken& token : config.added_tokens) set(token.id, token.content);
  const auto is_token = [&](int32_t id) {
    return id >= 0 && static_cast<size_t>(id) < texts.size() && texts[static_cast<size_t>(id)].known;
  };
  ABSL_RETURN_IF_ERROR(CheckTemplateIds(config.special_tokens.prefix, is_token));
  ABSL_RETURN_IF_ERROR(CheckTemplateIds(config.special_tokens.suffix, is_token));

  auto parts = std::unique_ptr<const Parts>(
      new Parts{std::move(normalizer), std::move(verbatim), std::move(normalized), std::move(pre_tokenizer),
                std::move(model), std::move(config.special_tokens), std::move(decoder), std::move(texts)});
  return std::unique_ptr<const Tokenizer>(new Tokenizer(std::move(parts)));
}

absl::StatusOr<std::vector<int32_t>> Tokenizer::Encode(std::string_view text, bool add_special_tokens) const {
  std::vector<int32_t> all;
  ABSL_RETURN_IF_ERROR(EncodeTo(text, add_special_tokens, [&](std::span<const int32_t> ids) {
    all.insert(all.end(), ids.begin(), ids.end());
    return absl::OkStatus();
  }));
  return all;
}

absl::Status Tokenizer::EncodeTo(std::string_view text, bool add_special_tokens, IdSink sink) const {
  const auto size = static_cast<int64_t>(text.size());
  if (size > kMaxTextBytes) return TextTooLongError("the text", size, kMaxTextBytes);
  if (const size_t valid = ValidUtf8Prefix(text); valid != text.size()) {
    return TextNotUtf8Error(static_cast<int64_t>(valid));
  }

  const Parts& parts = *parts_;
  PatternBudget budget(size);
  const std::unique_ptr<TokenModel::Encoder> encoder = parts.model->NewEncoder();
  IdBuffer out(sink);
  if (add_special_tokens) out.ids = parts.special_tokens.prefix;

  for (const auto& outer : parts.verbatim.Cut(text)) {
    if (outer.id >= 0) {
      out.ids.push_back(outer.id);
      continue;
    }
    bool starts_text = outer.text.data() == text.data();
    std::string_view normal = outer.text;
    Normalized changed;
    if (!parts.normalizer.empty()) {
      ABSL_ASSIGN_OR_RETURN(changed, parts.normalizer.Normalize(outer.text, budget));
      normal = changed.text;
      starts_text = starts_text && changed.keeps_start;
    }
    for (const auto& inner : parts.normalized.Cut(normal)) {
      if (inner.id >= 0) {
        out.ids.push_back(inner.id);
        continue;
      }
      const bool is_first = starts_text && inner.text.data() == normal.data();
      ABSL_RETURN_IF_ERROR(parts.pre_tokenizer.Cut(
          inner.text, is_first, budget, [&](std::string_view piece) { return encoder->Encode(piece, out); }));
    }
  }
  const std::vector<int32_t>& suffix = parts.special_tokens.suffix;
  if (add_special_tokens) out.ids.insert(out.ids.end(), suffix.begin(), suffix.end());
  return out.Finish();
}

absl::StatusOr<std::string> Tokenizer::Decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < ids.size(); ++i) {
    const int32_t id = ids[i];
    if (id < 0 || id >= vocab_size() || !parts_->texts[id].known) {
      return TokenIdUnknownError(id, static_cast<int64_t>(i), vocab_size());
    }
    const Parts::Text& text = parts_->texts[id];
    if (!skip_special_tokens || !text.special) tokens.push_back(text.token);
  }
  return parts_->decoder.Decode(std::move(tokens));
}

int64_t Tokenizer::vocab_size() const { return static_cast<int64_t>(parts_->texts.size()); }

}  // namespace bitwright::worker
