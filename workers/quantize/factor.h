#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {

struct FactorOptions {
  // Columns by falling diagonal of H (stable, before damping) instead of in order; dead ones last.
  bool act_order = false;
  double damping = 0.01;  // share of the mean diagonal of H, over live inputs, that is added to the diagonal
};

// The factorization of one input's second moment, built once and shared by all linears on that input and all formats:
//   P H' Pᵀ = M D Mᵀ, M unit upper triangular, D diagonal, H' = H + damping · mean(diag H) · I, P the column order.
// The mean is over live inputs: what pads a model with zeros changes nothing of the rest.
// This is the decomposition of LDLQ (Chee et al., QuIP, arXiv 2307.13304, section 3), which rounds exactly as GPTQ does
// (Frantar et al., arXiv 2210.17323) but needs no inverse of H. The column order and the damping are those of GPTQ's
// code. An input that was never active (H_jj = 0) is dead: its diagonal is set to 1 before damping and its weights to
// 0.
//
// H as its packed upper triangle (tensor/packed_triangle.h), f32. MOMENT_NOT_FINITE.
absl::StatusOr<FactorHead> BeginFactor(std::span<const float> moment, int64_t inputs, const FactorOptions& options);

// Replaces H by M − I + D (Rounding::Factorize). MOMENT_NOT_POSITIVE (only possible with very small damping).
absl::Status FinishFactor(const FactorHead& head, double damping, Device& device, std::span<float> moment);

// Both at once, on a copy of H, and on the device.
absl::StatusOr<std::unique_ptr<DeviceFactor>> BuildFactor(std::span<const float> moment, int64_t inputs,
                                                          const FactorOptions& options, Device& device);

}  // namespace bitwright::worker
