#include "workers/formats/codebook_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "tests/support/status_matchers.h"
#include "workers/formats/codebook_table.h"
#include "workers/formats/format.h"

namespace bitwright::worker {
namespace {

using Type = CodebookFormat::Type;

TEST(CodebookFormatTest, NamesRoundTrip) {
  for (const char* name :
       {"nf4-g32", "nf4-g64", "nf4-g128", "nf4-channel", "kmeans2-g32", "kmeans3-g64", "kmeans4-channel"}) {
    ASSERT_OK_AND_ASSIGN(const Format format, ParseFormat(name));
    EXPECT_TRUE(std::holds_alternative<CodebookFormat>(format));
    EXPECT_EQ(FormatName(format), name);
  }
  for (const char* name : {"nf4", "nf3-g64", "nf4-g16", "kmeans5-g64", "kmeans1-g64", "kmeans3-g64 "}) {
    EXPECT_THAT(ParseCodebookFormat(name), HasReason("FORMAT_UNKNOWN")) << name;
  }
}

TEST(CodebookFormatTest, CountsEveryByte) {
  EXPECT_EQ(CodedBytes(CodebookFormat{Type::kNf4, 4, 64}, 70, 512, DType::kBF16), 70 * 256 + 70 * 8 * 4);
  EXPECT_EQ(CodedBytes(CodebookFormat{Type::kKMeans, 3, 128}, 70, 512, DType::kBF16), 70 * 192 + 70 * 4 * 2 + 8 * 4);
  EXPECT_EQ(CodedBytes(CodebookFormat{Type::kKMeans, 2, 0}, 5, 24, DType::kF32), 5 * 6 + 5 * 4 + 4 * 4);
  EXPECT_FALSE(Fits(CodebookFormat{Type::kNf4, 4, 64}, 96));
  EXPECT_FALSE(Fits(CodebookFormat{Type::kKMeans, 3, 0}, 20));
}

// The centres of equal shares of the normal distribution's mass on either side of zero, seven below and eight above,
// out to a tail of 1 − 0.9677083, scaled to 1: what the paper's values come of (create_normal_map of bitsandbytes).
TEST(CodebookFormatTest, Nf4ValuesAreQuantilesOfTheNormalDistribution) {
  const auto quantile = [](double p) {
    double low = -10, high = 10;
    for (int i = 0; i < 200; ++i) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
    }
    return low;
  };
  constexpr double kOffset = 0.9677083;
  std::vector<double> values = {0};
  for (int i = 0; i < 8; ++i) values.push_back(quantile(kOffset + (0.5 - kOffset) * i / 8));
  for (int i = 0; i < 7; ++i) values.push_back(-quantile(kOffset + (0.5 - kOffset) * i / 7));
  std::ranges::sort(values);
  for (size_t i = 0; i < 16; ++i) EXPECT_NEAR(kNf4Values[i], values[i] / values.back(), 1e-6) << i;
}

// Bytes that bitsandbytes has for these codes: the earlier one in the high nibble.
TEST(CodebookFormatTest, PacksNf4AsBitsandbytes) {
  const CodebookFormat nf4;
  std::vector<uint8_t> codes(64), bytes(32), back(64);
  std::iota(codes.begin(), codes.end(), uint8_t{0});
  for (uint8_t& code : codes) code &= 15;
  PackCodebook(nf4, codes, bytes);
  EXPECT_EQ(bytes[0], 0x01);
  EXPECT_EQ(bytes[1], 0x23);
  EXPECT_EQ(bytes[7], 0xef);
  UnpackCodebook(nf4, bytes, back);
  EXPECT_EQ(back, codes);
}

TEST(CodebookFormatTest, CodesOfEveryWidthComeBack) {
  std::mt19937 random(3);
  for (int bits = 2; bits <= 4; ++bits) {
    const CodebookFormat format{Type::kKMeans, bits, 32};
    std::vector<uint8_t> codes(96), back(96), bytes(static_cast<size_t>(format.RowBytes(96)));
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random() % format.values());
    PackCodebook(format, codes, bytes);
    UnpackCodebook(format, bytes, back);
    EXPECT_EQ(back, codes) << bits;
  }
  std::vector<uint8_t> bytes(3);
  PackCodebook({Type::kKMeans, 3, 0}, std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 0}, bytes);
  EXPECT_THAT(bytes, testing::ElementsAre(0b11010001, 0b01011000, 0b00011111));  // lowest bit first
}

TEST(CodebookFormatTest, ScalesAreTheLargestOfTheirGroup) {
  std::vector<float> weights(128, 0.25f);
  weights[3] = -0.7f;
  const std::vector<float> f32 = AbsMaxScales({Type::kNf4, 4, 32}, weights, 64, DType::kBF16);
  EXPECT_THAT(f32, testing::ElementsAre(0.7f, 0.25f, 0.25f, 0.25f));
  const std::vector<float> rows = AbsMaxScales({Type::kKMeans, 4, 0}, weights, 64, DType::kBF16);
  EXPECT_THAT(rows, testing::ElementsAre(0.69921875f, 0.25f));
  EXPECT_THAT(AbsMaxScales({Type::kNf4, 4, 64}, std::vector<float>(64), 64, DType::kF32),
              testing::ElementsAre(0x1p-23f));
}

double CostOf(std::span<const double> points, std::span<const double> weights, std::span<const double> centroids) {
  double cost = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    double least = 1e300;
    for (const double c : centroids) least = std::min(least, (points[i] - c) * (points[i] - c));
    cost += weights[i] * least;
  }
  return cost;
}

// Every way to give each of nine points one of k clusters, runs of neighbours or not.
double BruteForce(std::span<const double> points, std::span<const double> weights, size_t k) {
  double best = 1e300;
  const auto ways = static_cast<size_t>(std::pow(k, points.size()));
  for (size_t way = 0; way < ways; ++way) {
    std::vector<double> sums(k), counts(k);
    size_t rest = way;
    for (size_t i = 0; i < points.size(); ++i, rest /= k) {
      sums[rest % k] += weights[i] * points[i];
      counts[rest % k] += weights[i];
    }
    std::vector<double> centroids;
    for (size_t c = 0; c < k; ++c) {
      if (counts[c] > 0) centroids.push_back(sums[c] / counts[c]);
    }
    best = std::min(best, CostOf(points, weights, centroids));
  }
  return best;
}

TEST(WeightedKMeansTest, IsTheOptimum) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  for (int round = 0; round < 30; ++round) {
    std::vector<double> points(9), weights(9);
    for (double& point : points) point = normal(random);
    for (double& weight : weights) weight = round % 3 == 0 ? 1 : std::exp(2 * normal(random));
    if (round % 5 == 4) weights[4] = 0;
    std::ranges::sort(points);
    for (const size_t k : {1u, 2u, 3u, 4u}) {
      const std::vector<double> centroids = WeightedKMeans(points, weights, k);
      EXPECT_EQ(centroids.size(), k);
      EXPECT_TRUE(std::ranges::is_sorted(centroids));
      EXPECT_NEAR(CostOf(points, weights, centroids), BruteForce(points, weights, k), 1e-12) << round << " " << k;
    }
  }
}

TEST(WeightedKMeansTest, HasNoMoreCentroidsThanPoints) {
  EXPECT_THAT(WeightedKMeans(std::vector<double>{1, 2, 5}, std::vector<double>{1, 0, 3}, 4),
              testing::ElementsAre(1, 5));
  EXPECT_TRUE(WeightedKMeans({}, {}, 4).empty());
  EXPECT_TRUE(WeightedKMeans(std::vector<double>{1}, std::vector<double>{0}, 4).empty());
}

// On many weights the parts of a line cost next to nothing, and the table beats the one that does not know them.
TEST(KMeansTableTest, FitsTheWeightsByWhatTheirErrorsCost) {
  constexpr int64_t kIn = 256;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> weights(16 * kIn), diagonal(kIn);
  for (float& weight : weights) weight = normal(random);
  for (float& h : diagonal) h = std::exp(normal(random));
  const CodebookFormat format{Type::kKMeans, 4, 64};
  const std::vector<float> scales = AbsMaxScales(format, weights, kIn, DType::kF32);
  const std::vector<float> table = KMeansTable(format, weights, scales, diagonal);
  ASSERT_EQ(table.size(), 16u);
  EXPECT_TRUE(std::ranges::is_sorted(table));
  // The exact optimum, of all weights one by one.
  std::vector<std::pair<double, double>> all;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double scale = scales[i / 64];
    all.emplace_back(weights[i] / scale, diagonal[i % kIn] * scale * scale);
  }
  std::ranges::sort(all);
  std::vector<double> points, costs;
  for (const auto& [x, w] : all) {
    points.push_back(x);
    costs.push_back(w);
  }
  const double best = CostOf(points, costs, WeightedKMeans(points, costs, 16));
  const double ours = CostOf(points, costs, std::vector<double>(table.begin(), table.end()));
  const double nf4 = CostOf(points, costs, std::vector<double>(std::begin(kNf4Values), std::end(kNf4Values)));
  EXPECT_GE(ours, best * (1 - 1e-12));
  EXPECT_LT(ours, best * 1.001);
  EXPECT_LT(best, 0.95 * nf4);
}

TEST(KMeansTableTest, RisesWhateverTheWeightsAre) {
  const CodebookFormat format{Type::kKMeans, 2, 32};
  const std::vector<float> none(32), ones(32, 1.0f);
  EXPECT_THAT(KMeansTable(format, none, AbsMaxScales(format, none, 32, DType::kF32), ones),
              testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(KMeansTable(format, ones, AbsMaxScales(format, ones, 32, DType::kF32), none),
              testing::ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace bitwright::worker
