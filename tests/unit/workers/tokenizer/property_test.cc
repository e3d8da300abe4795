#include <random>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

// Code points of every plane and length, often from a small set, so that runs and tokens occur.
std::string RandomText(std::mt19937& random) {
  constexpr int32_t kSurrogates = 0xD800;
  constexpr int32_t kAfterSurrogates = 0xE000;
  const std::string frequent = " \n\r\taeho1'<|>";
  std::string text;
  for (uint32_t length = random() % 200; length > 0; --length) {
    const uint32_t kind = random() % 8;
    if (kind < 5) {
      text += frequent[random() % frequent.size()];
      continue;
    }
    const uint32_t limits[] = {0x80, 0x800, 0x110000};
    const auto code_point = static_cast<int32_t>(random() % limits[kind - 5]);
    if (code_point < kSurrogates || code_point >= kAfterSurrogates) AppendCodePoint(code_point, text);
  }
  return text;
}

// Without a normalizer nothing is lost.
TEST(TokenizerProperty, DecodedTextIsTheEncodedOne) {
  std::mt19937 random(1);
  for (const char* name : {"gpt2-small", "llama3-like"}) {
    const auto tokenizer = LoadTokenizer(SourcePath(std::string("tests/golden/tokenizer/") + name));
    for (int i = 0; i < 2000; ++i) {
      const std::string text = RandomText(random);
      ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode(text, false));
      ASSERT_OK_AND_ASSIGN(const std::string decoded, tokenizer->Decode(ids, false));
      ASSERT_EQ(decoded, text);
      for (int32_t id : ids) ASSERT_TRUE(id >= 0 && id < tokenizer->vocab_size());
    }
  }
}

// Whatever a tokenizer does with unknown characters, it does so in every text, gives known ids and ends.
TEST(TokenizerProperty, EveryStyleEncodesEveryText) {
  std::mt19937 random(2);
  for (const char* name : {"llama2-like", "metaspace-like", "unigram-like", "gemma-like"}) {
    const auto tokenizer = LoadTokenizer(SourcePath(std::string("tests/golden/tokenizer/") + name));
    for (int i = 0; i < 500; ++i) {
      ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode(RandomText(random), true));
      for (int32_t id : ids) ASSERT_TRUE(id >= 0 && id < tokenizer->vocab_size());
      EXPECT_THAT(tokenizer->Decode(ids, false), IsOk());
    }
  }
}

// With a token for each byte nothing is lost, but for the space in front.
TEST(TokenizerProperty, ByteFallbackLosesNothing) {
  std::mt19937 random(3);
  const auto tokenizer = LoadTokenizer(SourcePath("tests/golden/tokenizer/llama2-like"));
  for (int i = 0; i < 500; ++i) {
    const std::string text = RandomText(random);
    ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode(text, false));
    ASSERT_OK_AND_ASSIGN(const std::string decoded, tokenizer->Decode(ids, false));
    ASSERT_EQ(decoded, text);
  }
}

// Cutting a file of random bytes and keys at any place gives an error, never a crash.
TEST(TokenizerProperty, TruncatedFilesAreRefused) {
  const std::string file = SmallTokenizer().dump();
  for (size_t size = 0; size < file.size(); size += 7) {
    EXPECT_THAT(Tokenizer::Load(std::string_view(file).substr(0, size)), HasReason("TOKENIZER_INVALID"));
  }
}

}  // namespace
}  // namespace bitwright::worker
