#include "workers/formats/float_format.h"

#include <algorithm>
#include <numeric>

#include "workers/formats/formats_errors.h"
#include "workers/kernels/stored_scale.h"
#include "workers/tensor/float8.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

constexpr FloatSpec kSpecs[] = {
    {FloatFormat::kMxfp4, "mxfp4", 4, FloatScaling::kPowers, 32, 32},
    {FloatFormat::kNvfp4, "nvfp4", 4, FloatScaling::kTwoLevels, 16, 16},
    {FloatFormat::kMxfp6, "mxfp6", 6, FloatScaling::kPowers, 32, 32},
    {FloatFormat::kFp8Tensor, "fp8-tensor", 8, FloatScaling::kTensor, 0, 16},
    {FloatFormat::kFp8Channel, "fp8-channel", 8, FloatScaling::kChannel, 0, 16},
    {FloatFormat::kFp8Block, "fp8-block", 8, FloatScaling::kBlock, kScaleBlock, 16},
    {FloatFormat::kMxfp8, "mxfp8", 8, FloatScaling::kPowers, 32, 32},
};

static_assert([] {
  for (size_t i = 0; i < std::size(kSpecs); ++i) {
    if (static_cast<size_t>(kSpecs[i].format) != i) return false;
  }
  return true;
}());

// An element type: its numbers and how many bits of fraction they have.
struct Element {
  std::vector<float> numbers;
  int fraction_bits;
  bool searched;  // few enough to be compared with
};

const Element& ElementOf(int bits) {
  static const auto& e2m1 = *new Element{SmallFloats(1, 0, 6), 1, true};
  static const auto& e2m3 = *new Element{SmallFloats(3, 0, 7.5), 3, false};
  static const auto& e4m3 = *new Element{SmallFloats(3, -6, kMostE4M3), 3, false};
  return bits == 4 ? e2m1 : bits == 6 ? e2m3 : e4m3;
}

constexpr bool Given(FloatScaling scaling) {
  return scaling == FloatScaling::kTensor || scaling == FloatScaling::kChannel || scaling == FloatScaling::kBlock;
}

}  // namespace

std::span<const FloatSpec> FloatSpecs() { return kSpecs; }

const FloatSpec& SpecOf(FloatFormat format) { return kSpecs[static_cast<size_t>(format)]; }

absl::StatusOr<FloatFormat> ParseFloatFormat(std::string_view name) {
  for (const FloatSpec& spec : kSpecs) {
    if (spec.name == name) return spec.format;
  }
  return FormatUnknownError(name);
}

Grid GridOf(FloatFormat format, int64_t in, DType type, float divisor) {
  const FloatSpec& spec = SpecOf(format);
  const Element& element = ElementOf(spec.bits);
  Grid grid;
  grid.codebook = element.numbers;
  grid.fraction_bits = element.searched ? -1 : element.fraction_bits;
  // compressed-tensors decompresses to bfloat16 wherever it does not store scales in the weight's dtype.
  grid.value_type = DType::kBF16;
  grid.group = spec.group;
  switch (spec.scaling) {
    case FloatScaling::kPowers:
      grid.scale_type = ScaleType::kE8M0;
      return grid;
    case FloatScaling::kTwoLevels:
      grid.scale_type = ScaleType::kE4M3;
      grid.scale_divisor = divisor;
      return grid;
    default:
      grid.group = std::gcd(in, kScaleBlock);
      grid.given_scales = true;
      grid.scale_type = ScaleTypeOf(type);
      grid.value_type = type;
      return grid;
  }
}

float DivisorOf(FloatFormat format, float most) {
  if (SpecOf(format).scaling != FloatScaling::kTwoLevels) return 1;
  return most > 0 ? kMostE4M3 * ElementOf(SpecOf(format).bits).numbers.back() / most : 1;
}

std::vector<float> GivenScales(FloatFormat format, const Extremes& extremes, int64_t in, DType type) {
  const FloatScaling scaling = SpecOf(format).scaling;
  if (!Given(scaling)) return {};
  const int64_t runs = extremes.runs, out = std::ssize(extremes.of_runs) / runs;
  const int64_t group = std::gcd(in, kScaleBlock), groups = in / group;
  const auto most_of = [&](int64_t row, int64_t run) {
    if (scaling == FloatScaling::kTensor) return extremes.most;
    if (scaling == FloatScaling::kChannel) {
      return *std::max_element(&extremes.of_runs[static_cast<size_t>(row * runs)],
                               &extremes.of_runs[static_cast<size_t>(row * runs)] + runs);
    }
    float most = 0;
    const int64_t first = row / kScaleBlock * kScaleBlock, last = std::min(first + kScaleBlock, out);
    for (int64_t r = first; r < last; ++r) {
      most = std::max(most, extremes.of_runs[static_cast<size_t>(r * runs + run)]);
    }
    return most;
  };
  std::vector<float> scales;
  scales.reserve(static_cast<size_t>(out * groups));
  for (int64_t row = 0; row < out; ++row) {
    for (int64_t run = 0; run < runs; ++run) {
      const float scale = StoredScale(ScaleTypeOf(type), most_of(row, run) / kMostE4M3);
      const int64_t columns = std::min(kScaleBlock, in - run * kScaleBlock);
      scales.insert(scales.end(), static_cast<size_t>(columns / group), scale > 0 ? scale : Epsilon(type));
    }
  }
  return scales;
}

}  // namespace bitwright::worker
