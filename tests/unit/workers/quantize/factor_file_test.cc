#include "workers/quantize/factor_file.h"

#include <algorithm>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/quantize/sample_linear.h"

namespace bitwright::worker {
namespace {

InputStatistics StatisticsOf(const SampleLinear& sample, int64_t rows) {
  InputStatistics input{sample.in, rows, Buffer<float>(static_cast<int64_t>(sample.packed.size()))};
  std::copy(sample.packed.begin(), sample.packed.end(), input.second_moment.data());
  return input;
}

void ExpectSame(const Factor& a, const Factor& b) {
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.act_order, b.act_order);
  EXPECT_EQ(a.order, b.order);
  EXPECT_EQ(a.dead, b.dead);
  EXPECT_EQ(a.diagonal, b.diagonal);
  EXPECT_EQ(a.d, b.d);
  EXPECT_EQ(a.added, b.added);
  EXPECT_TRUE(std::ranges::equal(a.blocks.span(), b.blocks.span()));
  for (int64_t i = 0; i < a.inputs; ++i) {
    for (int64_t j = i + 1; j < a.inputs; ++j) {
      ASSERT_EQ(a.m[i * a.inputs + j], b.m[i * a.inputs + j]) << i << " " << j;
    }
  }
}

// A file of two inputs, of which no row reached the second.
class FactorFile : public ::testing::Test {
 protected:
  void Write(const FactorOptions& options) {
    ASSERT_OK_AND_ASSIGN(
        RoundingInputsWriter writer,
        RoundingInputsWriter::Create(dir_ / "file", {{"a", sample_.in}, {"b", kUnreached}}, options, pool_));
    BITWRIGHT_ASSERT_OK(writer.Append(StatisticsOf(sample_, 7)));
    InputStatistics none{kUnreached, 0, Buffer<float>(PackedTriangleSize(kUnreached))};
    std::fill_n(none.second_moment.data(), none.second_moment.size(), 0.0f);
    BITWRIGHT_ASSERT_OK(writer.Append(std::move(none)));
    BITWRIGHT_ASSERT_OK(writer.Close());
  }

  static constexpr int64_t kUnreached = 20;
  TempDir dir_;
  ThreadPool pool_{2};
  const SampleLinear sample_{1, 200, 300, 5};  // with dead inputs
};

TEST_F(FactorFile, ReadsWhatWasBuilt) {
  for (const bool act_order : {false, true}) {
    const FactorOptions options{act_order, 0.02};
    Write(options);
    ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
    EXPECT_TRUE(HoldsFactors(file));
    ASSERT_OK_AND_ASSIGN(const Factor expected, BuildFactor(sample_.packed, sample_.in, options, pool_));
    ASSERT_OK_AND_ASSIGN(const Factor read, ReadFactor(file, "a", options));
    ExpectSame(read, expected);
    EXPECT_EQ(std::count(read.dead.begin(), read.dead.end(), 1), 200 / 17);
    EXPECT_EQ(*file.Rows("a"), 7);
  }
}

TEST_F(FactorFile, AnInputThatNothingReachedIsUncorrelated) {
  const FactorOptions options;
  Write(options);
  ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
  EXPECT_EQ(*file.Rows("b"), 0);
  ASSERT_OK_AND_ASSIGN(const Factor read, ReadFactor(file, "b", options));
  for (int64_t i = 0; i < kUnreached; ++i) {
    EXPECT_FLOAT_EQ(read.d[static_cast<size_t>(i)], 1.01f);
    EXPECT_EQ(read.diagonal[static_cast<size_t>(i)], 1);
    EXPECT_EQ(read.dead[static_cast<size_t>(i)], 0);
    for (int64_t j = i + 1; j < kUnreached; ++j) EXPECT_EQ(read.m[i * kUnreached + j], 0);
  }
}

TEST_F(FactorFile, OfOtherOptionsIsRefused) {
  Write({.act_order = true, .damping = 0.01});
  ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
  EXPECT_THAT(ReadFactor(file, "a", {.act_order = true, .damping = 0.01}), IsOk());
  EXPECT_THAT(ReadFactor(file, "a", {.act_order = false, .damping = 0.01}), HasReason("STATISTICS_DAMAGED"));
  EXPECT_THAT(ReadFactor(file, "a", {.act_order = true, .damping = 0.011}), HasReason("STATISTICS_DAMAGED"));
  EXPECT_THAT(ReadFactor(file, "c", {.act_order = true, .damping = 0.01}), HasReason("TENSOR_MISSING"));
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
    EXPECT_THAT(ReadFactor(file, "a", options), HasReason("STATISTICS_DAMAGED")) << order;
  }
}

// Without factoring it is a file of statistics.
TEST_F(FactorFile, WithoutOptionsHoldsTheMoments) {
  ASSERT_OK_AND_ASSIGN(RoundingInputsWriter writer,
                       RoundingInputsWriter::Create(dir_ / "file", {{"a", sample_.in}}, std::nullopt, pool_));
  BITWRIGHT_ASSERT_OK(writer.Append(StatisticsOf(sample_, 7)));
  BITWRIGHT_ASSERT_OK(writer.Close());
  ASSERT_OK_AND_ASSIGN(const StatisticsFile file, StatisticsFile::Open(dir_ / "file"));
  EXPECT_FALSE(HoldsFactors(file));
  ASSERT_OK_AND_ASSIGN(const InputStatistics read, file.Read("a"));
  EXPECT_TRUE(std::ranges::equal(read.second_moment.span(), sample_.packed));
}

}  // namespace
}  // namespace bitwright::worker
