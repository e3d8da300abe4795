#include "workers/quantize/gptq.h"

#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/unit/workers/quantize/sample_linear.h"
#include "workers/formats/dequantize.h"
#include "workers/formats/stored_float.h"
#include "workers/quantize/rounding_loss.h"
#include "workers/quantize/rtn.h"

namespace bitwright::worker {
namespace {

double DirectLoss(const SampleLinear& sample, IntFormat format, DType type, const RoundedLinear& rounded,
                  ThreadPool& pool) {
  std::vector<float> values(sample.weights.size());
  Dequantize(format, sample.out, sample.in, type, rounded.codes, rounded.scales, values);
  double loss = 0;
  for (const double row : RowLosses(sample.weights, values, sample.out, sample.in, sample.moment, pool)) loss += row;
  return loss;
}

TEST(GptqTest, LossIsTheDirectProductOfWhatTheConsumerSees) {
  ThreadPool pool(2);
  const SampleLinear sample(70, 192, 150, 5);  // rank deficient, with dead inputs; a part of a block, a part of a piece
  for (const bool act_order : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(sample.packed, sample.in, {.act_order = act_order}, pool));
    for (const IntFormat format : AllowedFormats(sample.in)) {
      for (const DType type : {DType::kF32, DType::kBF16, DType::kF16}) {
        const GptqOptions options{.static_groups = act_order, .storage_type = type};
        const RoundedLinear rounded = GptqRound(factor, sample.weights, sample.out, format, options, pool);
        const double direct = DirectLoss(sample, format, type, rounded, pool);
        EXPECT_NEAR(rounded.loss, direct, 2e-4 * direct) << FormatName(format) << " " << DTypeName(type);
        for (const float scale : rounded.scales) ASSERT_EQ(scale, RoundTo(type, scale));
      }
    }
  }
}

TEST(GptqTest, LossesAloneAreTheSame) {
  ThreadPool pool(2);
  const SampleLinear sample(130, 256, 300, 6);
  const std::vector<IntFormat> formats = AllowedFormats(sample.in);
  ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(sample.packed, sample.in, {}, pool));
  const GptqOptions options{.storage_type = DType::kBF16};
  const std::vector<double> losses = GptqRowLosses(factor, sample.weights, sample.out, formats, options, pool);
  const auto rows = static_cast<std::ptrdiff_t>(sample.out);
  for (size_t f = 0; f < formats.size(); ++f) {
    const auto first = losses.begin() + static_cast<std::ptrdiff_t>(f) * rows;
    EXPECT_EQ(std::vector<double>(first, first + rows),
              GptqRound(factor, sample.weights, sample.out, formats[f], options, pool).row_loss);
  }
}

TEST(GptqTest, SameBitsOnAnyNumberOfThreads) {
  const SampleLinear sample(200, 256, 300, 7);
  ThreadPool one(1), three(3);
  ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(sample.packed, sample.in, {}, one));
  const RoundedLinear a = GptqRound(factor, sample.weights, sample.out, {3, 64}, {}, one);
  const RoundedLinear b = GptqRound(factor, sample.weights, sample.out, {3, 64}, {}, three);
  EXPECT_EQ(a.codes, b.codes);
  EXPECT_EQ(a.scales, b.scales);
  EXPECT_EQ(a.row_loss, b.row_loss);
}

TEST(GptqTest, BeatsRoundToNearest) {
  ThreadPool pool(2);
  const SampleLinear sample(64, 256, 600, 8);
  ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(sample.packed, sample.in, {}, pool));
  for (const IntFormat format : {IntFormat{2, 32}, IntFormat{3, 128}, IntFormat{4, IntFormat::kChannel}}) {
    const RoundedLinear rtn = RoundToNearest(sample.weights, sample.out, sample.in, format, factor.diagonal,
                                             {.scales = ScaleMethod::kSearched}, pool);
    const RoundedLinear gptq = GptqRound(factor, sample.weights, sample.out, format, {}, pool);
    EXPECT_LT(gptq.loss, 0.8 * DirectLoss(sample, format, DType::kF32, rtn, pool)) << FormatName(format);
  }
}

// A model whose inputs are padded with zeros is the same function, and small inputs make the placeholder of dead ones
// weigh the more.
TEST(GptqTest, PaddingWithZerosKeepsTheOtherCodes) {
  ThreadPool pool(2);
  constexpr int64_t kLive = 128, kAll = 256, kRows = 40;
  SampleLinear sample(kRows, kLive, 400, 10);
  for (float& value : sample.packed) value *= 1e-3f;
  std::vector<float> packed(static_cast<size_t>(PackedTriangleSize(kAll))), weights(kRows * kAll, 0.25f);
  for (int64_t i = 0; i < kLive; ++i) {
    for (int64_t j = i; j < kLive; ++j) {
      packed[PackedTriangleIndex(kAll, i, j)] = sample.packed[PackedTriangleIndex(kLive, i, j)];
    }
  }
  for (int64_t row = 0; row < kRows; ++row) {
    std::copy_n(sample.weights.begin() + row * kLive, kLive, weights.begin() + row * kAll);
  }
  for (const bool act_order : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const Factor own, BuildFactor(sample.packed, kLive, {.act_order = act_order}, pool));
    ASSERT_OK_AND_ASSIGN(const Factor all, BuildFactor(packed, kAll, {.act_order = act_order}, pool));
    const GptqOptions options{.static_groups = act_order, .storage_type = DType::kBF16};
    for (const IntFormat format : {IntFormat{2, 32}, IntFormat{3, 64}, IntFormat{4, 128}}) {
      const RoundedLinear a = GptqRound(own, sample.weights, kRows, format, options, pool);
      const RoundedLinear b = GptqRound(all, weights, kRows, format, options, pool);
      for (int64_t row = 0; row < kRows; ++row) {
        for (int64_t j = 0; j < kLive; ++j) {
          ASSERT_EQ(a.codes[row * kLive + j], b.codes[row * kAll + j]) << FormatName(format) << ", row " << row;
        }
      }
    }
  }
}

TEST(GptqTest, ZeroWeightsStayZero) {
  ThreadPool pool(1);
  SampleLinear sample(3, 64, 100, 9);
  std::fill(sample.weights.begin(), sample.weights.end(), 0.0f);
  ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(sample.packed, sample.in, {}, pool));
  const RoundedLinear rounded = GptqRound(factor, sample.weights, 3, {4, 32}, {.storage_type = DType::kBF16}, pool);
  EXPECT_EQ(rounded.codes, std::vector<int8_t>(3 * 64));
  EXPECT_EQ(rounded.scales, std::vector<float>(3 * 2, 0x1p-7f));
  EXPECT_EQ(rounded.loss, 0);
}

}  // namespace
}  // namespace bitwright::worker
