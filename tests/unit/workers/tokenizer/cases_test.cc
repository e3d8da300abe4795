#include "tests/unit/workers/tokenizer/cases.h"

#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

void ExpectCases(const std::string& folder, size_t least, size_t last_without_special) {
  const auto tokenizer = LoadTokenizer(folder);
  const std::vector<TokenizerCase> cases = LoadCases(folder);
  ASSERT_GE(cases.size(), least);
  for (size_t i = 0; i < cases.size(); ++i) ExpectCase(*tokenizer, cases[i], i + last_without_special < cases.size());
}

class GoldenCases : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenCases, IdsAndTextsAreTheReferenceLibrarys) {
  ExpectCases(SourcePath(std::string("tests/golden/tokenizer/") + GetParam()), 40, 0);
}

INSTANTIATE_TEST_SUITE_P(Tokenizer, GoldenCases,
                         ::testing::Values("gpt2-small", "llama3-like", "qwen2-like", "llama2-like", "metaspace-like",
                                           "unigram-like", "gemma-like"));

class FixtureCases : public ::testing::TestWithParam<const char*> {};

// The last two cases, of 20,000 and 100,000 characters, give ids only.
TEST_P(FixtureCases, IdsAndTextsAreTheReferenceLibrarys) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ExpectCases(*shared + "/fixtures/tokenizers/" + GetParam(), 221, 2);
}

INSTANTIATE_TEST_SUITE_P(Tokenizer, FixtureCases,
                         ::testing::Values("gpt2", "gpt2-small", "llama3", "qwen2", "smollm", "llama2", "metaspace-bpe",
                                           "unigram", "gemma"));

std::string IdsHash(const Tokenizer& tokenizer, const std::string& path, size_t& count) {
  const auto text = MappedFile::Open(path);
  if (!text.ok()) return text.status().ToString();
  const auto ids = tokenizer.Encode((*text)->text(), false);
  if (!ids.ok()) return ids.status().ToString();
  count = ids->size();
  return Sha256Hex({reinterpret_cast<const char*>(ids->data()), ids->size() * sizeof(int32_t)});
}

TEST(TokenizerTexts, HashesEqualTheModelsReference) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const std::string reference, ReadFile(*shared + "/models/reference.json"));
  const nlohmann::json models = nlohmann::json::parse(reference);
  for (const char* name : {"sample", "lm"}) {
    const auto tokenizer = LoadTokenizer(*shared + "/models/" + name);
    size_t count = 0;
    const std::string text = models[name]["text"];
    EXPECT_EQ(IdsHash(*tokenizer, *shared + "/" + text, count), models[name]["sha256_of_all_ids_as_le_int32"]) << name;
    EXPECT_EQ(count, models[name]["tokens_in_file"]);
  }
}

TEST(TokenizerTexts, HashesEqualTheLibrarys) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const std::string golden, ReadFile(SourcePath("tests/golden/tokenizer/text_sha256.json")));
  const nlohmann::json models = nlohmann::json::parse(golden);
  for (const auto& [name, texts] : models.items()) {
    const auto tokenizer = LoadTokenizer(*shared + (name == "sample" ? "/models/" : "/fixtures/tokenizers/") + name);
    for (const auto& [file, expected] : texts.items()) {
      size_t count = 0;
      EXPECT_EQ(IdsHash(*tokenizer, *shared + "/text/" + file, count), expected["sha256"]) << name << " " << file;
      EXPECT_EQ(count, expected["tokens"]);
    }
  }
}

// It takes a second; a quadratic part would take hours, which the test's time limit does not give.
TEST(TokenizerTexts, LongTextsTakeNoQuadraticTime) {
  for (const char* name : {"llama3-like", "llama2-like", "gemma-like", "unigram-like"}) {
    const auto tokenizer = LoadTokenizer(SourcePath(std::string("tests/golden/tokenizer/") + name));
    for (const char* piece : {"a", " ", "ab", "\n", "1", "e\xCC\x81"}) {
      std::string text;
      while (text.size() < 300'000) text += piece;
      ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode(text, false));
      ASSERT_OK_AND_ASSIGN(const auto decoded, tokenizer->Decode(ids, false));
      const bool loses = std::string_view(name) == "unigram-like";  // its normalizer, and unknown characters
      EXPECT_TRUE(loses || decoded == text) << name << " of " << piece;
    }
  }
}

}  // namespace
}  // namespace bitwright::worker
