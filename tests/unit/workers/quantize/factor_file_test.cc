#include "workers/quantize/factor_file.h"

#include <algorithm>
#include <cmath>

#include "tests/support/fixtures.h"
#include "tests/support/sample_linear.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/quantize/cpu_rounder.h"

namespace bitwright::worker {
namespace {

InputStatistics StatisticsOf(const SampleLinear& sample, int64_t rows) {
  InputStatistics input{sample.in, rows, Buffer<float>(static_cast<int64_t>(sample.packed.size()))};
  std::copy(sample.packed.begin(), sample.packed.end(), input.second_moment.data());
  return input;
}

// A file of two inputs, of which no row reached the second.
class FactorFile : public ::testing::Test {
 protected:
  void Write(const FactorOptions& options) {
    ASSERT_OK_AND_ASSIGN(
        RoundingInputsWriter writer,
        RoundingInputsWriter::Create(dir_ / "file", {{"a", sample_.in}, {"b", kUnreached}}, options, *cpu_.device));
    BITWRIGHT_ASSERT_OK(writer.Append(StatisticsOf(sample_, 7)));
    InputStatistics none{kUnreached, 0, Buffer<float>(PackedTriangleSize(kUnreached))};
    std::fill_n(none.second_moment.data(), none.second_moment.size(), 0.0f);
    BITWRIGHT_ASSERT_OK(writer.Append(std::move(none)));
    BITWRIGHT_ASSERT_OK(writer.Close());
  }

  static constexpr int64_t kUnreached = 20;
  TempDir dir_;
  CpuRounder cpu_;
  const SampleLinear sample_{70, 200, 300, 5};  // with dead inputs
};

TEST_F(FactorFile, ReadsWhatWasBuilt) {
  for (const bool act_order : {false, true}) {
    const FactorOptions options{act_order, 0.02};
    Write(options);
    ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
    EXPECT_TRUE(HoldsFactors(file));
    EXPECT_EQ(*file.Rows("a"), 7);
    ASSERT_OK_AND_ASSIGN(const auto expected, BuildFactor(sample_.packed, sample_.in, options, *cpu_.device));
    ASSERT_OK_AND_ASSIGN(const auto read, ReadFactor(file, "a", options, *cpu_.device));
    for (const IntFormat format : {IntFormat{2, 0}, IntFormat{4, 0}}) {
      const RoundedLinear a = cpu_.Ldlq(*read, sample_.weights, sample_.out, format);
      const RoundedLinear b = cpu_.Ldlq(*expected, sample_.weights, sample_.out, format);
      EXPECT_EQ(a.codes, b.codes);
      EXPECT_EQ(a.scales, b.scales);
      EXPECT_EQ(a.row_loss, b.row_loss);
      for (int64_t j = 16; j < sample_.in; j += 17) EXPECT_EQ(a.codes[j], 0) << "dead: " << j;
    }
  }
}

// Then feedback does nothing: the codes are the nearest ones.
TEST_F(FactorFile, AnInputThatNothingReachedIsUncorrelated) {
  const FactorOptions options;
  Write(options);
  ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
  EXPECT_EQ(*file.Rows("b"), 0);
  ASSERT_OK_AND_ASSIGN(const auto read, ReadFactor(file, "b", options, *cpu_.device));
  const std::vector<float> weights(sample_.weights.begin(), sample_.weights.begin() + 3 * kUnreached);
  const IntFormat format{3, 0};
  const LdlqOptions absmax{.scales = ScaleMethod::kAbsMax};
  const RoundedLinear rounded = cpu_.Ldlq(*read, weights, 3, format, DType::kF32, absmax);
  EXPECT_EQ(rounded.codes, cpu_.Nearest(weights, 3, format).codes);
  const std::vector<float> values = cpu_.Dequantized(rounded, 3, format);
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) squares += std::pow(double{weights[i]} - values[i], 2);
  EXPECT_NEAR(rounded.loss, squares, 1e-5 * squares) << "H is the unit matrix";
}

TEST_F(FactorFile, OfOtherOptionsIsRefused) {
  Write({.act_order = true, .damping = 0.01});
  ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
  EXPECT_THAT(ReadFactor(file, "a", {.act_order = true, .damping = 0.01}, *cpu_.device), IsOk());
  EXPECT_THAT(ReadFactor(file, "a", {.act_order = false, .damping = 0.01}, *cpu_.device),
              HasReason("STATISTICS_DAMAGED"));
  EXPECT_THAT(ReadFactor(file, "a", {.act_order = true, .damping = 0.011}, *cpu_.device),
              HasReason("STATISTICS_DAMAGED"));
  EXPECT_THAT(ReadFactor(file, "c", {.act_order = true, .damping = 0.01}, *cpu_.device), HasReason("TENSOR_MISSING"));
}

TEST_F(FactorFile, DamagedOrdersAreRefused) {
  const FactorOptions options;
  for (const int32_t order : {0, -1, 2}) {  // for columns 0 and 1; right would be 0, 1
    ASSERT_OK_AND_ASSIGN(SafetensorsWriter writer,
                         SafetensorsWriter::Create(dir_ / "bad",
                                                   {{"a/M", DType::kF32, {3}},
                                                    {"a/order", DType::kI32, {2}},
                                                    {"a/diagonal", DType::kF32, {2}},
                                                    {"a/added", DType::kF64, {1}}},
                                                   {{"act_order", "false"}, {"damping", "0.01"}}));
    const float m[3] = {1, 0, 1}, diagonal[2] = {1, 1};
    const int32_t orders[2] = {0, order};
    const double added = 0;
    BITWRIGHT_ASSERT_OK(writer.Append(m, sizeof m));
    BITWRIGHT_ASSERT_OK(writer.Append(orders, sizeof orders));
    BITWRIGHT_ASSERT_OK(writer.Append(diagonal, sizeof diagonal));
    BITWRIGHT_ASSERT_OK(writer.Append(&added, sizeof added));
    BITWRIGHT_ASSERT_OK(writer.Close());
    ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "bad"));
    EXPECT_THAT(ReadFactor(file, "a", options, *cpu_.device), HasReason("STATISTICS_DAMAGED")) << order;
  }
}

// Without factoring it is a file of statistics.
TEST_F(FactorFile, WithoutOptionsHoldsTheMoments) {
  ASSERT_OK_AND_ASSIGN(RoundingInputsWriter writer,
                       RoundingInputsWriter::Create(dir_ / "file", {{"a", sample_.in}}, std::nullopt, *cpu_.device));
  BITWRIGHT_ASSERT_OK(writer.Append(StatisticsOf(sample_, 7)));
  BITWRIGHT_ASSERT_OK(writer.Close());
  ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
  EXPECT_FALSE(HoldsFactors(file));
  ASSERT_OK_AND_ASSIGN(const InputStatistics read, file.Read("a"));
  EXPECT_TRUE(std::ranges::equal(read.second_moment.span(), sample_.packed));
}

}  // namespace
}  // namespace bitwright::worker
