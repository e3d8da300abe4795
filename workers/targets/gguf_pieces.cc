#include "workers/targets/gguf_pieces.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/targets/gguf_tokens.h"
#include "workers/targets/targets_errors.h"
#include "workers/tokenizer/sentencepiece_model.h"
#include "workers/tokenizer/sentencepiece_normalizer.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;
using Settings = std::vector<GgufSetting>;
using Type = GgufTokenType;
using PieceType = SentencePieceModel::PieceType;

constexpr char kFile[] = "tokenizer.model";
// llama.cpp's conversion: of ids that nothing names, and of tokens that were added.
constexpr float kUnusedScore = -10000, kAddedScore = -1000;

static_assert(static_cast<int>(PieceType::kByte) == static_cast<int>(Type::kByte) &&
              static_cast<int>(PieceType::kUserDefined) == static_cast<int>(Type::kUserDefined));

struct ScoredTokens {
  GgufTokens tokens;
  std::vector<float> scores;
};

absl::Status CheckComputes(const SentencePieceModel& model) {
  if (model.model_type != SentencePieceModel::ModelType::kBpe) {
    return GgufCannotStoreError("a tokenizer.model that is no BPE",
                                "the families that it stores are published with BPE");
  }
  if (!model.precompiled_charsmap.empty() || model.remove_extra_whitespaces || !model.escape_whitespaces ||
      model.treat_whitespace_as_suffix) {
    return GgufCannotStoreError("the normalizer of tokenizer.model",
                                "llama.cpp writes spaces as U+2581, one before a text, and changes nothing else");
  }
  const auto count = [&](PieceType type) {
    return std::ranges::count(model.pieces, type, &SentencePieceModel::Piece::type);
  };
  if (count(PieceType::kByte) != 256) {
    return GgufCannotStoreError("a vocabulary without a token for each byte", "llama.cpp asks for them");
  }
  if (count(PieceType::kUnused) != 0) {
    return GgufCannotStoreError("pieces of type UNUSED", "llama.cpp would write them");
  }
  const auto spaced = [](const SentencePieceModel::Piece& piece) {
    return piece.type == PieceType::kUserDefined && piece.text.find(kSpaceSymbol) != std::string::npos;
  };
  if (model.add_dummy_prefix && std::ranges::any_of(model.pieces, spaced)) {
    return GgufCannotStoreError("pieces of the user with spaces beside a space before each text",
                                "llama.cpp looks for them before it writes that one");
  }
  return absl::OkStatus();
}

// What the user defines is found in the text as it comes, which has spaces.
std::string Unescaped(std::string text) {
  for (size_t at = text.find(kSpaceSymbol); at != std::string::npos; at = text.find(kSpaceSymbol, at)) {
    text.replace(at, kSpaceSymbol.size(), " ");
  }
  return text;
}

absl::StatusOr<ScoredTokens> TokensOf(const SentencePieceModel& model, int64_t vocab_size) {
  const auto size = static_cast<size_t>(vocab_size);
  if (model.pieces.size() > size) {
    return VocabularyInvalidError(
        "pieces", absl::StrCat("are ", model.pieces.size(), "; the model has ids up to ", size - 1), kFile);
  }
  ScoredTokens all{{std::vector<std::string>(size), std::vector<Type>(size, Type::kUnused)},
                   std::vector<float>(size, kUnusedScore)};
  for (size_t id = 0; id < size; ++id) {
    if (id >= model.pieces.size()) {
      all.tokens.texts[id] = absl::StrCat("[PAD", id, "]");
      continue;
    }
    const SentencePieceModel::Piece& piece = model.pieces[id];
    const bool users = piece.type == PieceType::kUserDefined;
    all.tokens.texts[id] = users ? Unescaped(piece.text) : piece.text;
    all.tokens.types[id] = static_cast<Type>(piece.type);
    all.scores[id] = users ? kAddedScore : piece.score;
  }
  return all;
}

// Those of ids that the model has no row for are left out, as by llama.cpp's conversion.
void Add(int64_t id, const std::string& text, bool special, ScoredTokens& all) {
  if (id < 0 || id >= std::ssize(all.scores) || text.empty()) return;
  const auto at = static_cast<size_t>(id);
  all.tokens.texts[at] = special ? text : Unescaped(text);
  all.tokens.types[at] = special ? Type::kControl : Type::kUserDefined;
  all.scores[at] = kAddedScore;
}

void AddTokens(const Json& added_tokens, const Json& tokenizer_config, ScoredTokens& all) {
  if (added_tokens.is_object()) {
    for (const auto& [text, id] : added_tokens.items()) {
      if (id.is_number_integer()) Add(id.get<int64_t>(), text, /*special=*/false, all);
    }
  }
  const Json& decoder = JsonAt(tokenizer_config, "added_tokens_decoder");
  if (!decoder.is_object()) return;
  for (const auto& [key, token] : decoder.items()) {
    int64_t id;
    if (!absl::SimpleAtoi(key, &id)) continue;
    Add(id, JsonText(JsonAt(token, "content")), JsonAt(token, "special") == Json(true), all);
  }
}

// Where special tokens are named.
struct Names {
  const Json& tokenizer_config;
  const Json& config;
  const GgufTokens& tokens;

  std::optional<uint32_t> Named(const std::string& kind) const {
    return tokens.Find(SpecialTokenName(tokenizer_config, (kind + "_token").c_str()));
  }
  std::optional<uint32_t> Configured(const std::string& kind) const {
    const Json& id = JsonAt(config, (kind + "_token_id").c_str());
    const bool fits = id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < std::ssize(tokens.texts);
    return fits ? std::optional(id.get<uint32_t>()) : std::nullopt;
  }
  bool Adds(const char* key, bool otherwise) const {
    const Json& says = JsonAt(tokenizer_config, key);
    return says.is_boolean() ? says.get<bool>() : otherwise;
  }
};

// The first that there is.
std::optional<uint32_t> First(std::initializer_list<std::optional<uint32_t>> ids) {
  for (const auto& id : ids) {
    if (id) return id;
  }
  return std::nullopt;
}

Json Parsed(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

}  // namespace

absl::StatusOr<Settings> GgufPieces(const PieceFiles& files, int64_t vocab_size) {
  ABSL_ASSIGN_OR_RETURN(const SentencePieceModel model, ReadSentencePieceModel(files.tokenizer_model));
  ABSL_RETURN_IF_ERROR(CheckComputes(model));
  ABSL_ASSIGN_OR_RETURN(ScoredTokens all, TokensOf(model, vocab_size));
  const Json tokenizer_config = Parsed(files.tokenizer_config), config = Parsed(files.config);
  AddTokens(Parsed(files.added_tokens), tokenizer_config, all);
  const Names names{tokenizer_config, config, all.tokens};
  GgufSpecialTokens special;
  special.bos = First({names.Named("bos"), all.tokens.Find(model.bos_piece), names.Configured("bos")});
  special.eos = First({names.Named("eos"), names.Configured("eos"), all.tokens.Find(model.eos_piece)});
  special.adds_bos = special.bos && names.Adds("add_bos_token", true);
  special.adds_eos = special.eos && names.Adds("add_eos_token", false);
  Settings settings = GgufTokenSettings("llama", "default", all.tokens);
  settings.push_back(GgufNumbers<float>("tokenizer.ggml.scores", all.scores));
  settings.push_back(GgufNumber("tokenizer.ggml.add_space_prefix", model.add_dummy_prefix));
  const auto unknown = std::ranges::find(model.pieces, PieceType::kUnknown, &SentencePieceModel::Piece::type);
  if (unknown != model.pieces.end()) {
    settings.push_back(
        GgufNumber("tokenizer.ggml.unknown_token_id", static_cast<uint32_t>(unknown - model.pieces.begin())));
  }
  if (const auto pad = First({names.Named("pad"), names.Configured("pad"), all.tokens.Find(model.pad_piece)})) {
    settings.push_back(GgufNumber("tokenizer.ggml.padding_token_id", *pad));
  }
  const Settings ends = special.Settings();
  settings.insert(settings.end(), ends.begin(), ends.end());
  return settings;
}

}  // namespace bitwright::worker
