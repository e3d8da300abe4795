#include "workers/targets/gguf_pieces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/targets/written_gguf.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

std::string ModelFile(const std::string& name) {
  return ReadFile(SourcePath("tests/golden/tokenizer/" + name + "/tokenizer.model")).value_or("");
}

// The scores of the last `count` tokens, as they stand in the file.
std::vector<float> LastScores(const std::vector<GgufSetting>& settings, size_t count) {
  const auto found = std::ranges::find(settings, "tokenizer.ggml.scores", &GgufSetting::key);
  std::vector<float> scores(count);
  if (found == settings.end() || found->encoded.size() < 4 * count) return scores;
  std::memcpy(scores.data(), found->encoded.data() + found->encoded.size() - 4 * count, 4 * count);
  return scores;
}

TEST(GgufPiecesTest, HoldsPiecesScoresTypesAndSpecialIds) {
  const std::string model = ModelFile("sentencepiece-llama");
  ASSERT_OK_AND_ASSIGN(const auto settings, GgufPieces({model}, 402));
  ASSERT_OK_AND_ASSIGN(const GgufFile file, WrittenGguf(settings));
  const GgufMetadata& metadata = file.metadata();
  EXPECT_EQ(*metadata.Text("tokenizer.ggml.model"), "llama");
  EXPECT_EQ(*metadata.Text("tokenizer.ggml.pre"), "default");
  const auto tokens = *metadata.Texts("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens.size(), 402u);
  EXPECT_EQ(tokens[0], "<unk>");
  EXPECT_EQ(tokens[3], "<0x00>");
  EXPECT_EQ(tokens[401], "[PAD401]");
  const auto types = *metadata.Integers("tokenizer.ggml.token_type");
  EXPECT_EQ(types[0], 2);
  EXPECT_EQ(types[1], 3);
  EXPECT_EQ(types[3], 6);
  EXPECT_EQ(types[399], 1);
  EXPECT_EQ(types[401], 5);
  const std::vector<float> scores = LastScores(settings, 402);
  EXPECT_EQ(scores[260], scores[259] - 1);  // of the merges in their order
  EXPECT_EQ(scores[401], -10000);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.bos_token_id"), 1);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.eos_token_id"), 2);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.unknown_token_id"), 0);
  EXPECT_FALSE(metadata.Has("tokenizer.ggml.padding_token_id"));
  EXPECT_TRUE(*metadata.Truth("tokenizer.ggml.add_bos_token"));
  EXPECT_FALSE(metadata.Has("tokenizer.ggml.add_eos_token"));
  EXPECT_TRUE(*metadata.Truth("tokenizer.ggml.add_space_prefix"));
}

// Pieces of the user as they stand in a text, and ids in another order.
TEST(GgufPiecesTest, TellsPiecesOfTheUserApart) {
  const std::string model = ModelFile("sentencepiece-gemma");
  ASSERT_OK_AND_ASSIGN(const auto settings, GgufPieces({model}, 440));
  ASSERT_OK_AND_ASSIGN(const GgufFile file, WrittenGguf(settings));
  const GgufMetadata& metadata = file.metadata();
  const auto tokens = *metadata.Texts("tokenizer.ggml.tokens");
  const auto types = *metadata.Integers("tokenizer.ggml.token_type");
  const auto type_of = [&](std::string_view token) {
    const auto found = std::find(tokens.begin(), tokens.end(), token);
    return found == tokens.end() ? 0 : types[static_cast<size_t>(found - tokens.begin())];
  };
  for (const char* token : {"<turn>", "\n\n", "  ", "    "}) EXPECT_EQ(type_of(token), 4) << token;
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.bos_token_id"), 2);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.eos_token_id"), 1);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.padding_token_id"), 0);
  EXPECT_FALSE(*metadata.Truth("tokenizer.ggml.add_space_prefix"));
}

TEST(GgufPiecesTest, HearsTheFilesBeside) {
  const std::string model = ModelFile("sentencepiece-llama");
  const PieceFiles files{model,
                         R"({"add_bos_token": false, "add_eos_token": true, "eos_token": {"content": "<end>"},
                             "added_tokens_decoder": {"400": {"content": "<end>", "special": true},
                                                      "401": {"content": "\u2581\u2581x", "special": false},
                                                      "9999": {"content": "nowhere"}, "x": 1}})",
                         R"({"<end>": 400, "y": 402, "z": "a"})",
                         R"({"bos_token_id": 2, "eos_token_id": 7, "pad_token_id": 0})"};
  ASSERT_OK_AND_ASSIGN(const auto settings, GgufPieces(files, 403));
  ASSERT_OK_AND_ASSIGN(const GgufFile file, WrittenGguf(settings));
  const GgufMetadata& metadata = file.metadata();
  const auto tokens = *metadata.Texts("tokenizer.ggml.tokens");
  const auto types = *metadata.Integers("tokenizer.ggml.token_type");
  EXPECT_EQ(tokens[400], "<end>");
  EXPECT_EQ(types[400], 3);
  EXPECT_EQ(tokens[401], "  x");
  EXPECT_EQ(types[401], 4);
  EXPECT_EQ(tokens[402], "y");
  EXPECT_EQ(LastScores(settings, 1)[0], -1000);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.bos_token_id"), 1);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.eos_token_id"), 400);
  EXPECT_EQ(*metadata.Integer("tokenizer.ggml.padding_token_id"), 0);
  EXPECT_FALSE(*metadata.Truth("tokenizer.ggml.add_bos_token"));
  EXPECT_TRUE(*metadata.Truth("tokenizer.ggml.add_eos_token"));
}

TEST(GgufPiecesTest, RefusesWhatLlamaCppWouldReadOtherwise) {
  const std::string bpe = ModelFile("sentencepiece-llama"), unigram = ModelFile("sentencepiece-unigram");
  const auto refusal = [](const std::string& model, int64_t vocab_size) {
    return GgufPieces({model}, vocab_size).status();
  };
  EXPECT_THAT(refusal(unigram, 1000), HasReason("TARGET_CANNOT_STORE"));
  EXPECT_THAT(refusal(ModelFile("sentencepiece-bpe"), 1000), HasReason("TARGET_CANNOT_STORE"));
  EXPECT_THAT(refusal(bpe, 399), HasReason("TOKENIZER_INVALID"));
  EXPECT_THAT(refusal(bpe.substr(0, bpe.size() / 2), 402), HasReason("TOKENIZER_INVALID"));
  // Fields of a message that comes again count: a normalizer with a map of characters, or that drops spaces.
  for (const std::string& more : {std::string("\x1a\x03\x12\x01x"), std::string("\x1a\x02\x20\x01")}) {
    const absl::Status status = refusal(bpe + more, 402);
    EXPECT_THAT(status, HasReason("TARGET_CANNOT_STORE"));
    EXPECT_NE(status.message().find("normalizer"), std::string::npos) << status;
  }
  // An unused piece, and one byte less.
  EXPECT_THAT(refusal(bpe + std::string("\x0a\x06\x0a\x02zq\x18\x05", 8), 402), HasReason("TARGET_CANNOT_STORE"));
  std::string letters = bpe;
  const size_t byte = letters.find("<0x41>");
  letters.replace(byte + 6, 7, std::string("\x15\x00\x00\x00\x00\x18\x01", 7));
  EXPECT_THAT(refusal(letters, 402), HasReason("TARGET_CANNOT_STORE"));
}

}  // namespace
}  // namespace bitwright::worker
