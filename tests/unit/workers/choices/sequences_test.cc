#include "workers/choices/sequences.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

std::unique_ptr<const Tokenizer> SomeTokenizer(const std::string& name) {
  const auto bytes = ReadFile(SourcePath("tests/golden/tokenizer/" + name + "/tokenizer.json"));
  EXPECT_THAT(bytes, IsOk());
  auto tokenizer = Tokenizer::Load(bytes.ok() ? *bytes : "");
  EXPECT_THAT(tokenizer, IsOk());
  return tokenizer.ok() ? *std::move(tokenizer) : nullptr;
}

TEST(Sequences, ContextAndContinuationAreTokenizedTogether) {
  const auto tokenizer = SomeTokenizer("llama2-like");
  ASSERT_OK_AND_ASSIGN(const ScoredSequence sequence,
                       EncodeChoice(*tokenizer, {"Question: why?\nAnswer:", " because", 7}, 1000, 1));
  ASSERT_OK_AND_ASSIGN(const std::vector<int32_t> whole, tokenizer->Encode("Question: why?\nAnswer: because", true));
  ASSERT_OK_AND_ASSIGN(const std::vector<int32_t> context, tokenizer->Encode("Question: why?\nAnswer:", true));
  EXPECT_EQ(sequence.ids, whole);
  EXPECT_EQ(sequence.scored, static_cast<int32_t>(whole.size() - context.size()));
  // White space at the end of a context is the continuation's.
  ASSERT_OK_AND_ASSIGN(const ScoredSequence spaced,
                       EncodeChoice(*tokenizer, {"Question: why?\nAnswer:  ", "because", 7}, 1000, 1));
  ASSERT_OK_AND_ASSIGN(const std::vector<int32_t> longer, tokenizer->Encode("Question: why?\nAnswer:  because", true));
  EXPECT_EQ(spaced.ids, longer);
  EXPECT_EQ(spaced.scored, static_cast<int32_t>(longer.size() - context.size()));
}

TEST(Sequences, WhatIsTooLongLosesItsBeginning) {
  const auto tokenizer = SomeTokenizer("llama2-like");
  const Question::Choice choice{"one two three four five six", " seven eight", 11};
  ASSERT_OK_AND_ASSIGN(const ScoredSequence whole, EncodeChoice(*tokenizer, choice, 1000, 1));
  ASSERT_OK_AND_ASSIGN(const ScoredSequence cut, EncodeChoice(*tokenizer, choice, whole.scored + 2, 1));
  EXPECT_EQ(cut.scored, whole.scored);
  EXPECT_EQ(cut.ids, std::vector<int32_t>(whole.ids.end() - cut.scored - 2, whole.ids.end()));
  ASSERT_OK_AND_ASSIGN(const ScoredSequence least, EncodeChoice(*tokenizer, choice, 2, 1));
  EXPECT_EQ(least.ids.size(), 2u);
  EXPECT_EQ(least.scored, 1);
}

TEST(Sequences, WithoutATokenThereIsNoQuestion) {
  const auto tokenizer = SomeTokenizer("llama2-like");
  EXPECT_THAT(EncodeChoice(*tokenizer, {"a context", "", 0}, 100, 9), HasReason("QUESTION_INVALID"));
}

TEST(Sequences, ShardsHoldTheTokensThatATaskMayTake) {
  std::vector<ScoredSequence> sequences;
  for (const size_t size : {3, 3, 5, 9, 9, 200}) sequences.push_back({std::vector<int32_t>(size), 1});
  const std::vector<SequenceShard> shards = ShardSequences(sequences, 16);
  ASSERT_EQ(shards.size(), 3u);
  const std::vector<std::array<int, 3>> expected = {{0, 3, 4}, {3, 5, 8}, {5, 6, 199}};
  for (size_t s = 0; s < expected.size(); ++s) {
    EXPECT_EQ((std::array{shards[s].begin, shards[s].end, shards[s].window}), expected[s]) << s;
  }
  EXPECT_TRUE(ShardSequences({}, 16).empty());
}

}  // namespace
}  // namespace bitwright::worker
