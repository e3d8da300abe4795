#include "workers/targets/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "absl/strings/str_format.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/targets/written_gguf.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

constexpr char kTiny[] = R"({
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
  "added_tokens": [{"id": 3, "content": "<s>", "special": true}, {"id": 4, "content": "<tool>", "special": false}],
  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]}
})";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(GgufVocabularyTest, HoldsTokensTypesMergesAndSpecialIds) {
  const auto settings = GgufVocabulary(kTiny, R"({"bos_token": {"content": "<s>"}, "eos_token": null})", 7);
  BITWRIGHT_ASSERT_OK(settings);
  const auto file = WrittenGguf(*settings);
  BITWRIGHT_ASSERT_OK(file);
  const GgufMetadata& metadata = file->metadata();
  EXPECT_THAT(*metadata.Texts("tokenizer.ggml.tokens"),
              testing::ElementsAre("a", "b", "ab", "<s>", "<tool>", "[PAD5]", "[PAD6]"));
  EXPECT_THAT(*metadata.Integers("tokenizer.ggml.token_type"), testing::ElementsAre(1, 1, 1, 3, 4, 5, 5));
  EXPECT_THAT(*metadata.Texts("tokenizer.ggml.merges"), testing::ElementsAre("a b"));
  EXPECT_EQ(*metadata.Text("tokenizer.ggml.pre"), "gpt-2");
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.bos_token_id"), 3);
  EXPECT_FALSE(metadata.Has("tokenizer.ggml.eos_token_id"));
  EXPECT_TRUE(*metadata.Truth("tokenizer.ggml.add_bos_token"));
}

TEST(GgufVocabularyTest, NamesTheFirstCutOfEveryByteLevelTokenizer) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const auto& [name, cut] :
       {std::pair{"gpt2", "gpt-2"}, {"llama3", "llama-bpe"}, {"qwen2", "qwen2"}, {"smollm", "smollm"}}) {
    const auto text = ReadFile(*shared + "/fixtures/tokenizers/" + name + "/tokenizer.json");
    const auto settings = GgufVocabulary(*text, std::nullopt, 3000);
    BITWRIGHT_ASSERT_OK(settings);
    EXPECT_EQ(*WrittenGguf(*settings)->metadata().Text("tokenizer.ggml.pre"), cut);
  }
}

// llama.cpp's "llama-bpe" takes a whole part that is a token for it, and "dbrx" joins its letters.
TEST(GgufVocabularyTest, TellsCutsApartByWhetherMergesAreIgnored) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  auto tokenizer = nlohmann::json::parse(*ReadFile(*shared + "/fixtures/tokenizers/llama3/tokenizer.json"));
  tokenizer["model"]["ignore_merges"] = false;
  const auto settings = GgufVocabulary(tokenizer.dump(), std::nullopt, 3000);
  BITWRIGHT_ASSERT_OK(settings);
  EXPECT_EQ(*WrittenGguf(*settings)->metadata().Text("tokenizer.ggml.pre"), "dbrx");
}

// Letters, bytes and a joined token in SentencePiece's style.
nlohmann::json Pieces() {
  nlohmann::json tokenizer = nlohmann::json::parse(R"({
    "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
              "vocab": {"<unk>": 0, "a": 1, "b": 2, "c": 3, "ab": 4, "bc": 5, "abc": 6},
              "merges": [["a", "b"], ["ab", "c"], ["a", "bc"]]},
    "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true}]
  })");
  for (int byte = 0; byte < 256; ++byte) tokenizer["model"]["vocab"][absl::StrFormat("<0x%02X>", byte)] = 7 + byte;
  return tokenizer;
}

TEST(GgufVocabularyTest, GivesScoresWhereMergesAreASentencePieceModels) {
  nlohmann::json tokenizer = Pieces();
  tokenizer["model"]["merges"] = nlohmann::json::parse(R"([["a", "b"], ["b", "c"], ["ab", "c"], ["a", "bc"]])");
  const auto settings = GgufVocabulary(tokenizer.dump(), std::nullopt, 263);
  BITWRIGHT_ASSERT_OK(settings);
  const auto file = WrittenGguf(*settings);
  const GgufMetadata& metadata = file->metadata();
  EXPECT_EQ(*metadata.Text("tokenizer.ggml.model"), "llama");
  EXPECT_FALSE(*metadata.Truth("tokenizer.ggml.add_space_prefix"));
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.unknown_token_id"), 0);
  const auto types = *metadata.Integers("tokenizer.ggml.token_type");
  EXPECT_EQ(types[0], 2);
  EXPECT_EQ(types[6], 1);
  EXPECT_EQ(types[7], 6);
}

// "bc" is a token that no merge makes; SentencePiece would.
TEST(GgufVocabularyTest, GivesMergesWhereTheyAreNot) {
  nlohmann::json tokenizer = Pieces();
  EXPECT_NE(GgufVocabulary(tokenizer.dump(), std::nullopt, 263).status().message().find("SentencePiece"),
            std::string::npos);
  tokenizer["post_processor"] =
      nlohmann::json::parse(R"({"single": [{"SpecialToken": {"id": "<unk>"}}, {"Sequence": {"id": "A"}}]})");
  const auto settings = GgufVocabulary(tokenizer.dump(), std::nullopt, 263);
  BITWRIGHT_ASSERT_OK(settings);
  EXPECT_EQ(*WrittenGguf(*settings)->metadata().Text("tokenizer.ggml.model"), "gemma4");
}

TEST(GgufVocabularyTest, RefusesPiecesThatLlamaCppWouldReadOtherwise) {
  for (const auto& [path, value, named] : {
           std::tuple{"/normalizer", R"({"type": "NFKC"})", "normalizer"},
           {"/pre_tokenizer", R"({"type": "Whitespace"})", "pre_tokenizer"},
           {"/model/ignore_merges", "true", "ignore_merges"},
           {"/model/end_of_word_suffix", R"("</w>")", "end_of_word_suffix"},
           {"/model/vocab", R"({"a": 1})", "each byte"},
       }) {
    nlohmann::json tokenizer = Pieces();
    tokenizer[nlohmann::json::json_pointer(path)] = nlohmann::json::parse(value);
    const absl::Status status = GgufVocabulary(tokenizer.dump(), std::nullopt, 263).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_NE(status.message().find(named), std::string::npos) << status;
  }
}

TEST(GgufVocabularyTest, RefusesWhatLlamaCppWouldReadOtherwise) {
  const std::string tiny = kTiny;
  const auto refusal = [](const std::string& json) { return GgufVocabulary(json, std::nullopt, 7).status(); };
  for (const auto& [json, named] : {
           std::pair{Replaced(tiny, "\"BPE\"", "\"Unigram\""), "type Unigram"},
           {Replaced(tiny, "\"use_regex\": true", "\"use_regex\": false"), "pre_tokenizer"},
           {Replaced(tiny, "\"merges\"", "\"marges\""), "model.merges"},
           {Replaced(tiny, "[\"a\", \"b\"]", "[\"a\"]"), "model.merges"},
           {Replaced(tiny, "\"ab\": 2", "\"ab\": 7"), "id of a token"},
           {Replaced(tiny, "\"ab\": 2", "\"ab\": \"2\""), "id of a token"},
           {Replaced(tiny, "\"vocab\"", "\"words\""), "model.vocab"},
           {Replaced(tiny, "\"model\"", "\"normalizer\": {\"type\": \"Lowercase\"}, \"model\""), "normalizer"},
           {std::string("[1]"), "object"},
           {std::string("{"), "object"},
       }) {
    const absl::Status status = refusal(json);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << named;
    EXPECT_NE(status.message().find(named), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace bitwright::worker
