#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/kernels/grid.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// Small floating-point numbers with scales, as compressed-tensors 0.20 stores them. Elements after OCP Microscaling
// Formats 1.0 (section 5.3): E2M1 up to 6, E2M3 up to 7.5, E4M3 up to 448; a type has a zero and no infinities.
//
//   format       element  scale                                         bits
//   mxfp4        E2M1     a power of two per 32 inputs (E8M0)           4.25
//   nvfp4        E2M1     E4M3 per 16 inputs, over an f32 per linear    4.5
//   mxfp6        E2M3     a power of two per 32 inputs                  6.25
//   fp8-tensor   E4M3     one per linear, in the weight's dtype         8
//   fp8-channel  E4M3     one per row                                   8
//   fp8-block    E4M3     one per 128 rows and 128 inputs               8
//   mxfp8        E4M3     a power of two per 32 inputs                  8.25
//
// Linears that consumers fuse share what a whole linear has one of.
enum class FloatFormat : uint8_t { kMxfp4, kNvfp4, kMxfp6, kFp8Tensor, kFp8Channel, kFp8Block, kMxfp8 };

enum class FloatScaling : uint8_t { kPowers, kTwoLevels, kTensor, kChannel, kBlock };

struct FloatSpec {
  FloatFormat format;
  std::string_view name;
  int bits;  // of an element
  FloatScaling scaling;
  int64_t group;     // inputs that share a scale; 0: all of a row
  int64_t multiple;  // of which rows must be

  constexpr bool Fits(int64_t in) const { return in > 0 && in % multiple == 0; }
};

// Rows and columns of a block of kBlock.
inline constexpr int64_t kScaleBlock = 128;

// In the order of the enumeration.
std::span<const FloatSpec> FloatSpecs();
const FloatSpec& SpecOf(FloatFormat format);
// INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::StatusOr<FloatFormat> ParseFloatFormat(std::string_view name);

// Values that rows of `in` inputs may take, of a model whose weights have `type`.
//   divisor: of kTwoLevels, what DivisorOf gives; else 1
Grid GridOf(FloatFormat format, int64_t in, DType type, float divisor);

// Of kTwoLevels: what scales are divided by where no weight is larger than `most`; else 1.
float DivisorOf(FloatFormat format, float most);

// Largest |w| of each row of a linear in each run of 128 inputs, and of all that is fused with it.
struct Extremes {
  std::vector<float> of_runs;  // [out, runs]
  int64_t runs = 0;            // ⌈in / 128⌉
  float most = 0;
};

// Scales of a format whose scales follow from the largest weights, as GridSteps takes them: most / 448 (epsilon of the
// type where that is 0). Empty of others.
std::vector<float> GivenScales(FloatFormat format, const Extremes& extremes, int64_t in, DType type);

}  // namespace bitwright::worker
