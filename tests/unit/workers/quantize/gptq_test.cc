#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/sample_linear.h"
#include "tests/unit/workers/quantize/cpu_rounder.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

double DirectLoss(const SampleLinear& sample, IntFormat format, DType type, const RoundedLinear& rounded,
                  CpuRounder& cpu) {
  const DeviceMatrix weights = OnDevice(*cpu.device, sample.weights, sample.out);
  const DeviceMatrix values = OnDevice(*cpu.device, cpu.Dequantized(rounded, sample.out, format, type), sample.out);
  const DeviceMatrix moment = OnDevice(*cpu.device, sample.moment, sample.in);
  double loss = 0;
  for (const double row : cpu.device->rounding().MomentLosses(weights.view(), values.view(), moment.view())) {
    loss += row;
  }
  return loss;
}

TEST(GptqTest, LossIsTheDirectProductOfWhatTheConsumerSees) {
  CpuRounder cpu;
  const SampleLinear sample(70, 192, 150, 5);  // rank deficient, with dead inputs; a part of a block, a part of a piece
  for (const bool act_order : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const auto factor,
                         BuildFactor(sample.packed, sample.in, {.act_order = act_order}, *cpu.device));
    for (const IntFormat format : AllowedIntFormats(sample.in)) {
      for (const DType type : {DType::kF32, DType::kBF16, DType::kF16}) {
        const RoundedLinear rounded =
            cpu.Ldlq(*factor, sample.weights, sample.out, format, type, {.static_groups = act_order});
        const double direct = DirectLoss(sample, format, type, rounded, cpu);
        EXPECT_NEAR(rounded.loss, direct, 2e-4 * direct) << FormatName(format) << " " << DTypeName(type);
        for (const float scale : rounded.scales) ASSERT_EQ(scale, RoundTo(type, scale));
      }
    }
  }
}

TEST(GptqTest, LossesAloneAreTheSame) {
  CpuRounder cpu;
  const SampleLinear sample(130, 256, 300, 6);
  const std::vector<IntFormat> formats = AllowedIntFormats(sample.in);
  ASSERT_OK_AND_ASSIGN(const auto factor, BuildFactor(sample.packed, sample.in, {}, *cpu.device));
  std::vector<IntGrid> grids;
  for (const IntFormat format : formats) grids.push_back(format.Grid(sample.in, DType::kBF16));
  const DeviceMatrix weights = OnDevice(*cpu.device, sample.weights, sample.out);
  const std::vector<double> losses = cpu.device->rounding().LdlqLosses(*factor, weights.view(), grids, {});
  const auto rows = static_cast<std::ptrdiff_t>(sample.out);
  for (size_t f = 0; f < formats.size(); ++f) {
    const auto first = losses.begin() + static_cast<std::ptrdiff_t>(f) * rows;
    EXPECT_EQ(std::vector<double>(first, first + rows),
              cpu.Ldlq(*factor, sample.weights, sample.out, formats[f], DType::kBF16).row_loss);
  }
}

TEST(GptqTest, SameBitsOnAnyNumberOfThreads) {
  const SampleLinear sample(200, 256, 300, 7);
  CpuRounder one(1), three(3);
  ASSERT_OK_AND_ASSIGN(const auto by_one, BuildFactor(sample.packed, sample.in, {}, *one.device));
  ASSERT_OK_AND_ASSIGN(const auto by_three, BuildFactor(sample.packed, sample.in, {}, *three.device));
  const RoundedLinear a = one.Ldlq(*by_one, sample.weights, sample.out, {3, 64});
  const RoundedLinear b = three.Ldlq(*by_three, sample.weights, sample.out, {3, 64});
  EXPECT_EQ(a.codes, b.codes);
  EXPECT_EQ(a.scales, b.scales);
  EXPECT_EQ(a.row_loss, b.row_loss);
}

TEST(GptqTest, BeatsRoundToNearest) {
  CpuRounder cpu;
  const SampleLinear sample(64, 256, 600, 8);
  ASSERT_OK_AND_ASSIGN(const auto factor, BuildFactor(sample.packed, sample.in, {}, *cpu.device));
  std::vector<float> diagonal;
  for (int64_t j = 0; j < sample.in; ++j) diagonal.push_back(sample.moment[j * sample.in + j]);
  for (const IntFormat format : {IntFormat{2, 32}, IntFormat{3, 128}, IntFormat{4, IntFormat::kChannel}}) {
    const RoundedLinear rtn =
        cpu.Nearest(sample.weights, sample.out, format, {.scales = ScaleMethod::kSearched}, DType::kF32, diagonal);
    const RoundedLinear gptq = cpu.Ldlq(*factor, sample.weights, sample.out, format);
    EXPECT_LT(gptq.loss, 0.8 * DirectLoss(sample, format, DType::kF32, rtn, cpu)) << FormatName(format);
  }
}

// A model whose inputs are padded with zeros is the same function, and small inputs make the placeholder of dead ones
// weigh the more.
TEST(GptqTest, PaddingWithZerosKeepsTheOtherCodes) {
  CpuRounder cpu;
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
    ASSERT_OK_AND_ASSIGN(const auto own, BuildFactor(sample.packed, kLive, {.act_order = act_order}, *cpu.device));
    ASSERT_OK_AND_ASSIGN(const auto all, BuildFactor(packed, kAll, {.act_order = act_order}, *cpu.device));
    const LdlqOptions options{.static_groups = act_order};
    for (const IntFormat format : {IntFormat{2, 32}, IntFormat{3, 64}, IntFormat{4, 128}}) {
      const RoundedLinear a = cpu.Ldlq(*own, sample.weights, kRows, format, DType::kBF16, options);
      const RoundedLinear b = cpu.Ldlq(*all, weights, kRows, format, DType::kBF16, options);
      for (int64_t row = 0; row < kRows; ++row) {
        for (int64_t j = 0; j < kLive; ++j) {
          ASSERT_EQ(a.codes[row * kLive + j], b.codes[row * kAll + j]) << FormatName(format) << ", row " << row;
        }
      }
    }
  }
}

TEST(GptqTest, ZeroWeightsStayZero) {
  CpuRounder cpu(1);
  SampleLinear sample(3, 64, 100, 9);
  std::fill(sample.weights.begin(), sample.weights.end(), 0.0f);
  ASSERT_OK_AND_ASSIGN(const auto factor, BuildFactor(sample.packed, sample.in, {}, *cpu.device));
  const RoundedLinear rounded = cpu.Ldlq(*factor, sample.weights, 3, {4, 32}, DType::kBF16);
  EXPECT_EQ(rounded.codes, std::vector<int8_t>(3 * 64));
  EXPECT_EQ(rounded.scales, std::vector<float>(3 * 2, 0x1p-7f));
  EXPECT_EQ(rounded.loss, 0);
}

}  // namespace
}  // namespace bitwright::worker
