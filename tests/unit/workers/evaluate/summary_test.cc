#include "workers/evaluate/summary.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/compare_logits.h"
#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

TEST(SummaryTest, OneTokenHasNoStandardError) {
  const TokenStats stats{{1.0}, {1.5}, {0.25}, {-0.1}, {1}};
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats, 1));
  EXPECT_EQ(summary.kl.mean.value, 0.25);
  EXPECT_EQ(summary.kl.mean.standard_error, 0);
  EXPECT_EQ(summary.kl.p99, 0.25);
  EXPECT_EQ(summary.top1_agreement.standard_error, 0);
  EXPECT_DOUBLE_EQ(summary.perplexity_ratio.value, std::exp(0.5));
}

// Three windows of two tokens, alike within and unlike between: as if there were three tokens, not six. By hand.
TEST(SummaryTest, TokensOfAWindowAreOneObservation) {
  TokenStats stats;
  for (const double value : {1.0, 1.0, 2.0, 2.0, 6.0, 6.0}) {
    stats.AppendToken({{0}, {0}, {value}, {0}, {static_cast<uint8_t>(value > 1)}}, 0);
  }
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary alone, Summarize(stats, 1));
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary pairs, Summarize(stats, 2));
  EXPECT_DOUBLE_EQ(pairs.kl.mean.value, 3);
  EXPECT_NEAR(alone.kl.mean.standard_error, std::sqrt(2 * (4.0 + 1 + 9) / 5 / 6), 1e-12);
  EXPECT_NEAR(pairs.kl.mean.standard_error, std::sqrt((4.0 + 1 + 9) / 2 / 3), 1e-12);
  EXPECT_NEAR(alone.top1_agreement.standard_error, std::sqrt(2.0 / 3 * (1.0 / 3) / 5), 1e-12);
  EXPECT_NEAR(pairs.top1_agreement.standard_error, std::sqrt((4.0 / 9 + 1.0 / 9 + 1.0 / 9) / 2 / 3), 1e-12);
  // The last window may be shorter: deviations −2 −2 −1 −1 3 and 3.
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary cut, Summarize(stats, 5));
  EXPECT_NEAR(cut.kl.mean.standard_error, std::sqrt(2.0 * (9 + 9)) / 6, 1e-12);
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary one, Summarize(stats, 6));
  EXPECT_EQ(one.kl.mean.standard_error, 0);
}

// Two windows whose squares are 1 1 and 4 4: a mean square of 2.5, deviations ±1.5. By hand.
TEST(SummaryTest, TheErrorOfARootIsThatOfItsSquareByTwiceTheRoot) {
  TokenStats stats;
  for (const double change : {1.0, -1.0, 2.0, -2.0}) stats.AppendToken({{0}, {0}, {0}, {change}, {1}}, 0);
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats, 2));
  EXPECT_DOUBLE_EQ(summary.p_delta.rms.value, std::sqrt(2.5));
  EXPECT_NEAR(summary.p_delta.rms.standard_error, std::sqrt(2.0 * (9 + 9)) / 4 / (2 * std::sqrt(2.5)), 1e-12);
  EXPECT_EQ(summary.p_delta.mean.standard_error, 0) << "both windows have a mean of 0";
}

TEST(SummaryTest, PercentilesLieBetweenOrderStatistics) {
  TokenStats stats;
  for (int i = 40; i >= 0; --i) stats.AppendToken({{0}, {0}, {static_cast<double>(i)}, {0}, {1}}, 0);
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats, 1));
  EXPECT_DOUBLE_EQ(summary.kl.min, 0);
  EXPECT_DOUBLE_EQ(summary.kl.p01, 0.4);
  EXPECT_DOUBLE_EQ(summary.kl.p05, 2);
  EXPECT_DOUBLE_EQ(summary.kl.p10, 4);
  EXPECT_DOUBLE_EQ(summary.kl.median, 20);
  EXPECT_DOUBLE_EQ(summary.kl.p999, 39.96);
}

TEST(SummaryTest, RefusesNothingAndInfinity) {
  EXPECT_THAT(Summarize({}, 1), HasReason("EVALUATION_EMPTY"));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(Summarize({{1.0}, {infinity}, {1.0}, {0.0}, {1}}, 1), HasReason("EVALUATION_NOT_FINITE"));
  EXPECT_THAT(Summarize({{1.0}, {1.0}, {std::nan("")}, {0.0}, {1}}, 1), HasReason("EVALUATION_NOT_FINITE"));
}

TEST(SummaryTest, ShardsJoinToTheWhole) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const int64_t tokens = 50, vocabulary = 37;
  std::vector<float> base(tokens * vocabulary), quantized(base.size());
  for (size_t i = 0; i < base.size(); ++i) quantized[i] = (base[i] = normal(random)) + 0.1f * normal(random);
  std::vector<int32_t> targets(tokens);
  for (int32_t& target : targets) target = static_cast<int32_t>(random() % vocabulary);
  ThreadPool one(1), three(3);
  const TokenStats whole = CompareLogits(base, quantized, vocabulary, targets, three);
  TokenStats joined;
  for (int64_t t = 0; t < tokens; t += 20) {
    const int64_t count = std::min<int64_t>(20, tokens - t);
    joined.Append(CompareLogits(std::span(base).subspan(t * vocabulary, count * vocabulary),
                                std::span(quantized).subspan(t * vocabulary, count * vocabulary), vocabulary,
                                std::span(targets).subspan(t, count), one));
  }
  EXPECT_EQ(joined.kl, whole.kl);
  EXPECT_EQ(joined.nll_base, whole.nll_base);
  EXPECT_EQ(joined.nll_quantized, whole.nll_quantized);
  EXPECT_EQ(joined.p_delta, whole.p_delta);
  EXPECT_EQ(joined.top1_same, whole.top1_same);
}

TEST(SummaryTest, NaNLogitsAreNoticed) {
  std::vector<float> base = {0, 1, 2}, quantized = {0, std::nanf(""), 2};
  ThreadPool pool(1);
  const std::vector<int32_t> targets = {0};
  EXPECT_THAT(Summarize(CompareLogits(base, quantized, 3, targets, pool), 1), HasReason("EVALUATION_NOT_FINITE"));
  quantized[0] = quantized[2] = quantized[1];
  EXPECT_THAT(Summarize(CompareLogits(base, quantized, 3, targets, pool), 1), HasReason("EVALUATION_NOT_FINITE"));
}

}  // namespace
}  // namespace bitwright::worker
