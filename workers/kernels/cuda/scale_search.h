#pragma once

#include "workers/kernels/cuda/launch.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker::cuda {

// How the scales of symmetric integers are chosen (ScaleMethod): one lane of a warp for each factor of the scale at
// which the largest weight meets the end of the range.
struct ScaleSearch {
  static constexpr int kFactors = 32;

  float factors[kFactors];
  bool searched;    // false: that scale itself
  float steps;      // max|w| / steps is that scale
  float low, high;  // codes
  DType type;       // of scales
};

// Weights as they lie in a matrix; dead columns count as zeros.
struct LivingWeights {
  Wide w;
  const uint8_t* dead;  // [columns]; null: none is
};

// scales [rows, columns / group] of the weights as they are. importance [columns] weighs errors; read where searched.
cudaError_t ChooseScales(const LivingWeights& weights, int64_t group, const ScaleSearch& search,
                         const float* importance, float* scales, cudaStream_t stream);

// codes [rows, columns]: clamp(round half to even(w / scale)), the quotient rounded to quotient_type first.
cudaError_t NearestIntegers(const Wide& weights, int64_t group, const ScaleSearch& search, DType quotient_type,
                            const float* scales, int8_t* codes, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
