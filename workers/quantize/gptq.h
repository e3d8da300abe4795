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

// GPTQ (Frantar et al., arXiv 2210.17323) in its LDLQ form (Chee et al., QuIP, arXiv 2307.13304, section 3).
//
// Columns are rounded one after the other, and each makes up for the errors of those before it. With H = M D Mᵀ
// (factor.h) column j rounds
//   z_j = w_j + Σ_{i<j} (w_i − q_i) M_ij
// to q_j. The loss needs no second pass: ΔW M has the columns z_j − q_j, so tr(ΔW H ΔWᵀ) = Σ_j D_j ‖z_j − q_j‖², from
// which the part that the damping added, added · ‖ΔW‖², is taken off again.
//
// The search for scales (ScaleMethod::kSearched) weighs the error of column j with √(H_jj · D_j): between H_jj, what an
// error costs when nothing makes up for it, and D_j, what it costs once all later columns have made up for it. Mean KL
// divergence in nats per token on models/lm with act_order (65,536 calibration tokens, 32,768 evaluation tokens,
// standard error in brackets):
//
//   weight          int3-g128         int4-g128         mixed, 3.5 bits   mixed, 4.5 bits
//   H_jj            0.10874 (0.00083) 0.02698 (0.00021) 0.06682 (0.00049) 0.01709 (0.00015)
//   √(H_jj · D_j)   0.10713 (0.00082) 0.02669 (0.00021) 0.06556 (0.00048) 0.01680 (0.00013)
//
// Each difference is one to two standard errors (taken as independent), and all four point the same way.
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
};

// Rounds one linear. weights f32 [out, in], finite, in = factor.inputs; format.Fits(in) must hold. Pieces of 64 rows
// run on the pool; per thread it takes 10 · in · 64 bytes. The same bits on any number of threads.
RoundedLinear GptqRound(const Factor& factor, std::span<const float> weights, int64_t out, IntFormat format,
                        const GptqOptions& options, ThreadPool& pool);

// The row losses alone that GptqRound gives, [formats, out], without keeping codes: for profiling.
std::vector<double> GptqRowLosses(const Factor& factor, std::span<const float> weights, int64_t out,
                                  std::span<const IntFormat> formats, const GptqOptions& options, ThreadPool& pool);

}  // namespace bitwright::worker
