#include <cmath>

#include "tests/support/status_matchers.h"
#include "workers/tokenizer/bpe.h"
#include "workers/tokenizer/bpe_seams.h"
#include "workers/tokenizer/library_float.h"
#include "workers/tokenizer/unigram.h"

namespace bitwright::worker {
namespace {

using Ids = std::vector<int32_t>;

Ids Encoded(const TokenModel& model, std::string_view piece) {
  Ids ids;
  const auto append = [&](std::span<const int32_t> more) {
    ids.insert(ids.end(), more.begin(), more.end());
    return absl::OkStatus();
  };
  IdBuffer out(append);
  EXPECT_THAT(model.NewEncoder()->Encode(piece, out), IsOk());
  EXPECT_THAT(out.Finish(), IsOk());
  return ids;
}

BpeConfig SmallBpe() {
  return {.vocab = {{"?", 0}, {"a", 1}, {"b", 2}, {"ab", 3}, {"aba", 4}, {"<0xC3>", 5}, {"<0xA9>", 6}},
          .merges = {{"a", "b"}, {"ab", "a"}}};
}

TEST(Bpe, UnknownCharacters) {
  BpeConfig config = SmallBpe();
  ASSERT_OK_AND_ASSIGN(const auto dropping, Bpe::Create(config));
  EXPECT_EQ(Encoded(*dropping, "axyab"), (Ids{1, 3})) << "without an unknown token they are left out";
  config.unk_token = "?";
  ASSERT_OK_AND_ASSIGN(const auto each, Bpe::Create(config));
  EXPECT_EQ(Encoded(*each, "axyab"), (Ids{1, 0, 0, 3}));
  config.fuse_unk = true;
  ASSERT_OK_AND_ASSIGN(const auto fused, Bpe::Create(config));
  EXPECT_EQ(Encoded(*fused, "axyab"), (Ids{1, 0, 3}));
  config.byte_fallback = true;
  ASSERT_OK_AND_ASSIGN(const auto bytes, Bpe::Create(config));
  EXPECT_EQ(Encoded(*bytes,
                    "a\xC3\xA9"
                    "ab"),
            (Ids{1, 5, 6, 3}));
  EXPECT_EQ(Encoded(*bytes,
                    "x\xC3\xA9"
                    "a"),
            (Ids{5, 6, 0, 1}))
      << "an unknown token waits for a known character";
}

TEST(Bpe, EqualRanksJoinLeftmostFirst) {
  BpeConfig config{.vocab = {{"a", 0}, {"aa", 1}, {"aaa", 2}}, .merges = {{"a", "a"}, {"a", "aa"}, {"aa", "a"}}};
  config.ranks = {0, 0, 0};
  ASSERT_OK_AND_ASSIGN(const auto model, Bpe::Create(config));
  EXPECT_EQ(Encoded(*model, "aaaa"), (Ids{2, 0}));
  config.ranks = {0, 1, 1};
  ASSERT_OK_AND_ASSIGN(const auto pairs, Bpe::Create(config));
  EXPECT_EQ(Encoded(*pairs, "aaaa"), (Ids{1, 1}));
}

TEST(BpeSeams, LieWhereNoTokenGoesOver) {
  BpeSeams seams;
  seams.AddWhole("ab");
  seams.AddWhole("bcd");
  EXPECT_FALSE(seams.Between('a', 'b'));
  EXPECT_FALSE(seams.Between('c', 'd'));
  EXPECT_TRUE(seams.Between('d', 'a'));
  EXPECT_TRUE(seams.Between('b', 'a'));
}

UnigramConfig SmallUnigram() {
  return {.pieces = {{"?", 0}, {"a", -1}, {"b", -1}, {"ab", -1.5}, {"abc", -20}, {"<0x63>", 0, false}},
          .unk_id = 0,
          .unknown_score = -12};
}

TEST(Unigram, TakesTheBestPath) {
  UnigramConfig config = SmallUnigram();
  ASSERT_OK_AND_ASSIGN(const auto model, Unigram::Create(config));
  EXPECT_EQ(Encoded(*model, "aab"), (Ids{1, 3}));
  EXPECT_EQ(Encoded(*model, "abc"), (Ids{3, 0}));
  EXPECT_EQ(Encoded(*model, "axyb"), (Ids{1, 0, 2})) << "one unknown token for a run";
  config.byte_fallback = true;
  ASSERT_OK_AND_ASSIGN(const auto bytes, Unigram::Create(config));
  EXPECT_EQ(Encoded(*bytes, "accb"), (Ids{1, 5, 5, 2}));
  EXPECT_EQ(Encoded(*bytes, "axb"), (Ids{1, 0, 2})) << "a byte without a token";
}

// Paths settle where no token reaches over; a long text is nothing else than its pieces.
TEST(Unigram, LongPiecesEqualShortOnes) {
  ASSERT_OK_AND_ASSIGN(const auto model, Unigram::Create(SmallUnigram()));
  std::string text;
  Ids expected;
  for (int i = 0; i < 5000; ++i) {
    text += "aab b";
    for (int32_t id : {1, 3, 0, 2}) expected.push_back(id);
  }
  EXPECT_EQ(Encoded(*model, text), expected);
}

TEST(LibraryFloat, RoundsAsTheLibraryDoes) {
  EXPECT_EQ(LibraryFloat("-7.275677405740785"), -7.275677405740785) << "digits that a double holds are exact";
  EXPECT_EQ(LibraryFloat("12"), 12);
  EXPECT_EQ(LibraryFloat("1.5e3"), 1500);
  EXPECT_EQ(LibraryFloat("-2E-2"), -0.02);
  EXPECT_EQ(LibraryFloat("25e+1"), 250);
  EXPECT_EQ(LibraryFloat("0.0"), 0);
  EXPECT_EQ(LibraryFloat("1e-400"), 0);
  EXPECT_EQ(LibraryFloat("1e400"), HUGE_VAL);
  EXPECT_EQ(LibraryFloat("1e-99999999999999999999"), 0);
  EXPECT_EQ(LibraryFloat("123456789012345678901234567890"), 12345678901234567890.0 * 1e10)
      << "further digits do not count";
  EXPECT_EQ(LibraryFloat("-10.123456789012345678"), -(10123456789012345678.0 / 1e18));
}

}  // namespace
}  // namespace bitwright::worker
