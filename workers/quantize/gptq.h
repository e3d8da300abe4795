#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/base/thread_pool.h"
#include "workers/formats/int_format.h"
#include "workers/quantize/factor.h"
#include "workers/quantize/rounded_linear.h"
#include "workers/quantize/scales.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// How the search for a scale weighs the error of column j.
enum class ScaleWeight {
  kDiagonal,       // H_jj: what an error costs when nothing makes up for it
  kConditional,    // D_j: what it costs once all later columns have made up for it
  kGeometricMean,  // √(H_jj D_j)
};

// GPTQ (Frantar et al., arXiv 2210.17323) in its LDLQ form (Chee et al., QuIP, arXiv 2307.13304, section 3).
//
// Columns are rounded one after the other, and each makes up for the errors of those before it. With H = M D Mᵀ
// (factor.h) column j rounds
//   z_j = w_j + Σ_{i<j} (w_i − q_i) M_ij
// to q_j. The loss needs no second pass: ΔW M has the columns z_j − q_j, so tr(ΔW H ΔWᵀ) = Σ_j D_j ‖z_j − q_j‖², from
// which the part that the damping added, added · ‖ΔW‖², is taken off again.
struct GptqOptions {
  ScaleMethod scales = ScaleMethod::kSearched;
  // Static: group scales come from the original weights. Dynamic: they come from the columns as they are when the group
  // is reached, with all earlier errors spread over them. A factor with act_order implies static, because a group is a
  // run of neighbouring columns of W, as targets store it, and act_order reaches its columns at different times.
  // Measured on models/sample and models/lm with searched scales: in column order dynamic gives 1 to 6 % less loss than
  // static; static with act_order another 1 to 3 % less at group 128 and channel, but 1 % more at group 32.
  bool static_groups = false;
  // dtype of the model's weights. Scales are rounded to it, and so is code · scale, the value that the consumer sees
  // and that errors are measured on.
  DType storage_type = DType::kF32;
  // Read by kSearched. Measured: with static groups and act_order the mean gives 10 to 40 % less loss than the diagonal
  // on fixtures/rounding (real, rank-deficient), because the diagonal spends the scale on columns whose errors are made
  // up for; on trained models it gives about 1 % less in every mode, at a KL divergence equal within its error.
  ScaleWeight weight = ScaleWeight::kGeometricMean;
};

// Rounds one linear. weights f32 [out, in], finite, in = factor.inputs; format.Fits(in) must hold. Pieces of 64 rows
// run on the pool; per thread it takes 10 · in · 64 bytes. The same bits on any number of threads.
RoundedLinear GptqRound(const Factor& factor, std::span<const float> weights, int64_t out, IntFormat format,
                        const GptqOptions& options, ThreadPool& pool);

// The losses alone that GptqRound gives for each of several formats, without keeping codes: for profiling.
std::vector<double> GptqLosses(const Factor& factor, std::span<const float> weights, int64_t out,
                               std::span<const IntFormat> formats, const GptqOptions& options, ThreadPool& pool);

}  // namespace bitwright::worker
