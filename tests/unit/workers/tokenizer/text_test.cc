#include <thread>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

std::unique_ptr<const Tokenizer> Small() {
  auto tokenizer = Tokenizer::Load(SmallTokenizer().dump());
  EXPECT_THAT(tokenizer, IsOk());
  return *std::move(tokenizer);
}

TEST(TokenizerText, InvalidUtf8NamesTheByte) {
  const auto tokenizer = Small();
  const std::pair<std::string, const char*> texts[] = {
      {"\xff", "0"},         {"hello \xC3(", "6"},        {"a\xE2\x82", "1"}, {"abcdefghij\x80", "10"},
      {"\xED\xA0\x80", "0"}, {"ab\xF4\x90\x80\x80", "2"}, {"\xC0\x80", "0"},
  };
  for (const auto& [text, byte] : texts) {
    const auto ids = tokenizer->Encode(text, false);
    EXPECT_THAT(ids, HasReason("TEXT_NOT_UTF8"));
    EXPECT_EQ(GetErrorDetail(ids.status())->metadata.at("byte"), byte);
  }
}

TEST(TokenizerText, PieceThatNothingCutsIsBounded) {
  const auto tokenizer = Small();
  EXPECT_THAT(tokenizer->Encode(std::string((16 << 20) + 1, 'a'), false), HasReason("TEXT_TOO_LONG"));
}

TEST(TokenizerText, UnknownIdsAreNamed) {
  const auto tokenizer = Small();
  EXPECT_EQ(tokenizer->vocab_size(), 260);
  for (int32_t id : {-1, 260, 1 << 30}) {
    const Ids ids = {104, id};
    const auto text = tokenizer->Decode(ids, false);
    EXPECT_THAT(text, HasReason("TOKEN_ID_UNKNOWN"));
    EXPECT_EQ(GetErrorDetail(text.status())->metadata.at("position"), "1");
  }
}

TEST(TokenizerText, HolesInTheVocabularyAreUnknownIds) {
  json file = SmallTokenizer();
  file["added_tokens"] = json::array();
  file["model"]["vocab"]["hell"] = 300;
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Load(file.dump()));
  EXPECT_EQ(tokenizer->vocab_size(), 301);
  EXPECT_THAT(tokenizer->Decode(Ids{299}, false), HasReason("TOKEN_ID_UNKNOWN"));
  ASSERT_OK_AND_ASSIGN(const std::string text, tokenizer->Decode(Ids{300}, false));
  EXPECT_EQ(text, "hell");
}

TEST(TokenizerText, BrokenBytesDecodeToReplacementCharacters) {
  const auto tokenizer = Small();
  // E2 82 is the start of a character of three bytes: one U+FFFD. FF never starts one.
  ASSERT_OK_AND_ASSIGN(const std::string text, tokenizer->Decode(Ids{0xE2, 0x82, 'a', 0xFF, 0xC3, 0xA9}, false));
  EXPECT_EQ(text,
            "\xEF\xBF\xBD"
            "a"
            "\xEF\xBF\xBD\xC3\xA9");
}

TEST(TokenizerText, MergesJoinTheBestPairFirst) {
  const auto tokenizer = Small();
  ASSERT_OK_AND_ASSIGN(const Ids ids, tokenizer->Encode("hello hell llll", false));
  EXPECT_EQ(ids, (Ids{258, 'o', ' ', 258, ' ', 257, 257}));
}

TEST(TokenizerText, OneTokenizerServesManyThreads) {
  const auto tokenizer = LoadTokenizer(SourcePath("tests/golden/tokenizer/gpt2-small"));
  const auto cases = LoadCases(SourcePath("tests/golden/tokenizer/gpt2-small"));
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (const TokenizerCase& c : cases) {
        const auto ids = tokenizer->Encode(c.text, false);
        count += !ids.ok() || *ids != c.ids;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace bitwright::worker
