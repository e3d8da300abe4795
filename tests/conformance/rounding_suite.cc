#include "tests/conformance/device_suite.h"
#include "tests/conformance/expected.h"
#include "tests/conformance/sample_grids.h"
#include "tests/conformance/sample_lattices.h"
#include "tests/support/sample_linear.h"
#include "workers/kernels/pack_codes.h"
#include "workers/kernels/reference/grid_rounding.h"
#include "workers/kernels/reference/reference_device.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kMargin = 5;

// Weights in the middle of a wider matrix.
struct Part {
  Part(Device& device, std::span<const float> values, int64_t rows) : columns(std::ssize(values) / rows) {
    const int64_t width = columns + 2 * kMargin;
    std::vector<float> wide(static_cast<size_t>(rows * width), 99.0f);
    for (int64_t r = 0; r < rows; ++r) std::copy_n(&values[r * columns], columns, &wide[r * width + kMargin]);
    matrix = DeviceMatrix(device, DType::kF32, rows, width);
    device.Write(wide, matrix.view());
  }
  Matrix view() const { return matrix.view().Columns(kMargin, columns); }

  int64_t columns;
  DeviceMatrix matrix;
};

FactorHead HeadOf(const SampleLinear& sample, bool act_order) {
  FactorHead head;
  head.inputs = sample.in;
  head.act_order = act_order;
  for (int64_t j = 0; j < sample.in; ++j) {
    const float value = sample.moment[j * sample.in + j];
    head.dead.push_back(value == 0);
    head.diagonal.push_back(value == 0 ? 1 : value);
    head.order.push_back(static_cast<int32_t>(act_order ? (j * 7 + 3) % sample.in : j));  // 7 divides no size below
  }
  head.added = 0.02;
  return head;
}

std::unique_ptr<DeviceFactor> Load(Rounding& rounding, const FactorHead& head, const std::vector<float>& triangle) {
  return rounding.LoadFactor(head, [&](int64_t i, std::span<float> to) {
    std::copy_n(triangle.data() + PackedTriangleIndex(head.inputs, i, i), to.size(), to.data());
  });
}

// Codes of a device need not be the reference's: sums in f32 decide ties and near ties otherwise, and a sweep goes on
// from there. Their losses must be alike, in the mean over the rows, and those of their own codes: a device's may be
// above the reference's by one part in a hundred and below it by a part `below`. round(rounding, factor, weights, on,
// steps, weights on the host) rounds to one of `all`, by `sweeps` and `sweeps_after` (GridSteps).
template <typename On, typename Round>
void CheckSteps(Device& device, Device& plain, double below, std::span<const On> all, int sweeps, int sweeps_after,
                const Round& round) {
  const SampleLinear sample(70, 256, 600, 4);
  for (const bool act_order : {false, true}) {
    const FactorHead head = HeadOf(sample, act_order);
    std::vector<float> triangle = sample.packed;
    ASSERT_EQ(plain.rounding().Factorize(head, triangle), std::nullopt);
    const auto factor = Load(device.rounding(), head, triangle), expected = Load(plain.rounding(), head, triangle);
    const Part weights(device, sample.weights, sample.out), weights_plain(plain, sample.weights, sample.out);
    const DeviceMatrix moment(device, DType::kF32, sample.in, sample.in);
    device.Write(sample.moment, moment.view());
    for (const On& on : all) {
      double last = 1e300;
      for (const GridSteps& steps : {GridSteps{false, 0}, GridSteps{true, 0}, GridSteps{true, sweeps},
                                     GridSteps{true, sweeps, true, sweeps_after}}) {
        SCOPED_TRACE(testing::Message() << "number " << &on - all.data() << " order " << act_order << " sweeps "
                                        << steps.sweeps << " refit " << steps.refit);
        const auto got = round(device.rounding(), *factor, weights.view(), on, steps, sample.weights);
        const auto want = round(plain.rounding(), *expected, weights_plain.view(), on, steps, sample.weights);
        EXPECT_LE(got.loss, 1.01 * want.loss);
        EXPECT_GE(got.loss, (1 - below) * want.loss);
        EXPECT_LE(got.loss, last * 1.0001);
        last = got.loss;
        const Part held(device, ValuesOf(got.codes, on, sample.out, sample.in), sample.out);
        const std::vector<double> losses = device.rounding().MomentLosses(weights.view(), held.view(), moment.view());
        // A dead input counts for nothing in the moment, and for its own error in what the rounding lowers.
        for (size_t r = 0; r < losses.size(); ++r) EXPECT_LE(losses[r], got.row_loss[r] * 1.001 + 1e-9) << r;
      }
    }
  }
}

void CheckGrids(Device& device, Device& plain, double below) {
  std::vector<Grid> grids;
  for (const auto& [name, grid] : SampleGrids(256)) grids.push_back(grid);
  CheckSteps(device, plain, below, std::span<const Grid>(grids), 3, 2,
             [](Rounding& rounding, const DeviceFactor& factor, const Matrix& weights, const Grid& grid,
                GridSteps steps, std::span<const float> host_weights) {
               const std::vector<float> scales = GivenScales(grid, host_weights);
               steps.scales = scales;
               return rounding.RoundOnGrid(factor, weights, grid, steps);
             });
}

void CheckLattices(Device& device, Device& plain, double below) {
  CheckSteps(device, plain, below, std::span<const Lattice>(SampleLattices()), 2, 1,
             [](Rounding& rounding, const DeviceFactor& factor, const Matrix& weights, const Lattice& lattice,
                const GridSteps& steps,
                std::span<const float>) { return rounding.RoundOnLattice(factor, weights, lattice, steps); });
}

void CheckFactors(Device& device, Device& plain) {
  for (const int64_t n : {1, 5, 78, 130, 260}) {
    for (const bool act_order : {false, true}) {
      const SampleLinear sample(1, n, 2 * n + 2, 3);
      const FactorHead head = HeadOf(sample, act_order);
      std::vector<float> got = sample.packed, expected = sample.packed;
      EXPECT_EQ(device.rounding().Factorize(head, got), std::nullopt);
      EXPECT_EQ(plain.rounding().Factorize(head, expected), std::nullopt);
      for (size_t i = 0; i < got.size(); ++i) {
        ExpectClose(got[i], expected[i], 1e-6, 1e-6, static_cast<int64_t>(i));
      }
    }
  }
  // Position 1 has no positive pivot: 1 − 2²/1 in the order of elimination, from the last to the first.
  FactorHead head{2, false, {0, 1}, {0, 0}, {1, 1}, 0};
  std::vector<float> bad = {1, 2, 1};
  EXPECT_EQ(device.rounding().Factorize(head, bad), 0);
  bad = {1, 2, 1};
  EXPECT_EQ(plain.rounding().Factorize(head, bad), 0);
}

// A code in f32 may fall to the other side of a half, and then all later ones of the row follow: such rows are few, and
// no worse.
void ExpectSameRows(const RoundedLinear& got, const RoundedLinear& expected, const std::string& what) {
  SCOPED_TRACE(what);
  const size_t rows = expected.row_loss.size(), in = expected.codes.size() / rows, groups = got.scales.size() / rows;
  ASSERT_EQ(got.codes.size(), expected.codes.size());
  ASSERT_EQ(got.scales.size(), expected.scales.size());
  size_t same = 0;
  for (size_t r = 0; r < rows; ++r) {
    bool equal = std::equal(&got.codes[r * in], &got.codes[(r + 1) * in], &expected.codes[r * in]);
    for (size_t g = r * groups; g < (r + 1) * groups; ++g) {
      equal = equal && std::abs(got.scales[g] - expected.scales[g]) <= 1e-5f * std::abs(expected.scales[g]);
    }
    same += equal;
    const double loss = expected.row_loss[r];
    EXPECT_NEAR(got.row_loss[r], loss, (equal ? 3e-5 : 0.3) * loss + 1e-9) << "row " << r;
  }
  EXPECT_GE(same, rows * 9 / 10);
  EXPECT_NEAR(got.loss, expected.loss, 0.03 * expected.loss);
}

void CheckLdlq(Device& device, Device& plain) {
  const SampleLinear sample(70, 192, 400, 5);
  const Part weights(device, sample.weights, sample.out), expected_weights(plain, sample.weights, sample.out);
  for (const bool act_order : {false, true}) {
    const FactorHead head = HeadOf(sample, act_order);
    std::vector<float> triangle = sample.packed;
    ASSERT_EQ(plain.rounding().Factorize(head, triangle), std::nullopt);
    const auto factor = Load(device.rounding(), head, triangle), expected = Load(plain.rounding(), head, triangle);
    for (const ScaleMethod scales : {ScaleMethod::kAbsMax, ScaleMethod::kSearched}) {
      for (const bool static_groups : {false, true}) {
        const LdlqOptions options{scales, static_groups};
        std::vector<IntGrid> grids;
        for (const int bits : {2, 3, 4, 8}) {
          for (const int64_t group : {int64_t{32}, int64_t{64}, sample.in}) {
            grids.push_back({bits, group, bits == 3 ? DType::kF32 : bits == 4 ? DType::kF16 : DType::kBF16});
          }
        }
        const std::vector<double> losses = device.rounding().LdlqLosses(*factor, weights.view(), grids, options);
        ASSERT_EQ(losses.size(), grids.size() * static_cast<size_t>(sample.out));
        for (size_t g = 0; g < grids.size(); ++g) {
          const RoundedLinear got = device.rounding().RoundLdlq(*factor, weights.view(), grids[g], options);
          ExpectSameRows(got, plain.rounding().RoundLdlq(*expected, expected_weights.view(), grids[g], options),
                         "bits " + std::to_string(grids[g].bits) + ", group " + std::to_string(grids[g].group) +
                             (act_order ? ", act_order" : "") + (static_groups ? ", static" : ""));
          for (int64_t r = 0; r < sample.out; ++r) {
            EXPECT_EQ(losses[g * static_cast<size_t>(sample.out) + static_cast<size_t>(r)], got.row_loss[r]);
          }
        }
      }
    }
  }
}

void CheckNearest(Device& device, Device& plain) {
  const SampleLinear sample(67, 96, 100, 6);
  const Part weights(device, sample.weights, sample.out), expected_weights(plain, sample.weights, sample.out);
  std::vector<float> diagonal;
  for (int64_t j = 0; j < sample.in; ++j) diagonal.push_back(sample.moment[j * sample.in + j]);
  const DeviceMatrix moment(device, DType::kF32, sample.in, sample.in);
  const DeviceMatrix expected_moment(plain, DType::kF32, sample.in, sample.in);
  device.Write(sample.moment, moment.view());
  plain.Write(sample.moment, expected_moment.view());
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (int bits = 2; bits <= 8; ++bits) {
      const IntGrid grid{bits, 32, type};
      const NearestOptions absmax{.quotient_type = type};
      RoundedLinear got = device.rounding().RoundNearest(weights.view(), grid, absmax, {});
      RoundedLinear expected = plain.rounding().RoundNearest(expected_weights.view(), grid, absmax, {});
      EXPECT_EQ(got.codes, expected.codes) << bits << " " << DTypeName(type);
      EXPECT_EQ(got.scales, expected.scales) << bits << " " << DTypeName(type);
      const NearestOptions searched{.scales = ScaleMethod::kSearched};
      got = device.rounding().RoundNearest(weights.view(), grid, searched, diagonal);
      expected = plain.rounding().RoundNearest(expected_weights.view(), grid, searched, diagonal);
      for (auto [rounded, on, from, h] : {std::tuple(&got, &device, &weights, &moment),
                                          std::tuple(&expected, &plain, &expected_weights, &expected_moment)}) {
        const DeviceMatrix values(*on, DType::kF32, sample.out, sample.in);
        on->rounding().Dequantize(grid, rounded->codes, rounded->scales, values.view());
        rounded->row_loss = on->rounding().MomentLosses(from->view(), values.view(), h->view());
        for (const double loss : rounded->row_loss) rounded->loss += loss;
      }
      ExpectSameRows(got, expected, "searched, bits " + std::to_string(bits));
    }
  }
}

void CheckDequantized(Device& device, Device& plain) {
  constexpr int64_t kRows = 9, kColumns = 96, kGroups = 3;
  std::mt19937 random(7);
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (int bits = 2; bits <= 8; ++bits) {
      const IntGrid grid{bits, kColumns / kGroups, type};
      std::vector<int8_t> codes(kRows * kColumns);
      for (int8_t& code : codes) code = static_cast<int8_t>(grid.MinCode() + static_cast<int>(random() % (1u << bits)));
      const std::vector<float> steps = {0.5f, -0.25f, 0.0078125f};
      std::vector<float> scales(kRows * kGroups);
      for (size_t i = 0; i < scales.size(); ++i) scales[i] = steps[i % 3] * static_cast<float>(1 + i % 5);
      std::vector<uint32_t> packed(static_cast<size_t>(kRows * PackedWords(bits, kColumns)));
      PackCodes(bits, kRows, kColumns, codes, packed);
      const TensorView stored{DType::kF32, {kRows, kGroups}, std::as_bytes(std::span(scales))};
      std::vector<std::vector<float>> results;
      for (Device* one : {&device, &plain}) {
        const Part to(*one, std::vector<float>(kRows * kColumns), kRows);
        one->rounding().Dequantize(grid, codes, scales, to.view());
        results.emplace_back(kRows * kColumns);
        one->Read(to.view(), results.back());
        one->Fill(0, to.view());
        one->rounding().DequantizePacked(grid, std::as_bytes(std::span(packed)), stored, to.view());
        results.emplace_back(kRows * kColumns);
        one->Read(to.view(), results.back());
      }
      for (const std::vector<float>& result : results) EXPECT_EQ(result, results[0]) << bits << " " << DTypeName(type);
      EXPECT_EQ(results[0][1], static_cast<float>(codes[1]) * scales[0]);
    }
  }
}

// Against the reference device, too.
template <void (*check)(Device&, Device&)>
void Beside(Device& device) {
  const auto plain = MakeReferenceDevice();
  check(device, *plain);
}

}  // namespace

std::vector<DeviceCheck> RoundingChecks(double below) {
  const auto swept = [below](void (*check)(Device&, Device&, double)) {
    return [=](Device& device) { check(device, *MakeReferenceDevice(), below); };
  };
  return {{"Factors", Beside<CheckFactors>},         {"Ldlq", Beside<CheckLdlq>},  {"Nearest", Beside<CheckNearest>},
          {"Dequantized", Beside<CheckDequantized>}, {"Grids", swept(CheckGrids)}, {"Lattices", swept(CheckLattices)}};
}

}  // namespace bitwright::worker
