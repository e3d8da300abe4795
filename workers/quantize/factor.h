#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/base/thread_pool.h"
#include "workers/tensor/buffer.h"

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
// 0. Immutable once built; thread-safe.
struct Factor {
  int64_t inputs = 0;
  bool act_order = false;
  std::vector<int32_t> order;   // [in] column of H at each position
  std::vector<uint8_t> dead;    // [in] by column of H
  std::vector<float> diagonal;  // [in] of H with dead ones set to 1, undamped, by column of H
  std::vector<float> d;         // [in] D, by position
  double added = 0;             // what damping added to each diagonal element
  Buffer<float> m;              // [in, in] row-major, by position; the strictly upper part is M's, the rest unspecified
  Buffer<float> blocks;  // [blocks of 128 columns][128][128]: element (j, i) is M_ij of the diagonal block, i < j
};

// The same on its way, in f64: first P H' Pᵀ and then, by Cholesky, M √D, rows and columns in reverse. Memory: 8 · in².
class Factorization {
 public:
  // Takes a copy of the moment. MOMENT_NOT_FINITE.
  static absl::StatusOr<Factorization> Begin(std::span<const float> packed_moment, int64_t inputs,
                                             const FactorOptions& options);
  // Once. MOMENT_NOT_POSITIVE (only possible with very small damping).
  absl::Status Finish(ThreadPool& pool);

  // Afterwards. Everything of the factor but M, D and the blocks; M and D as the packed upper triangle of M − I + D.
  const Factor& head() const { return head_; }
  Factor TakeHead() { return std::move(head_); }
  Buffer<float> Packed() const;

 private:
  Factor head_;
  double damping_ = 0;
  Buffer<double> c_;
};

// Lays M and D out for rounding; `head` has everything else. row(i, to) fills `to` with row i of the packed triangle
// from its diagonal on; it is called for each row in order. Memory: 4 · in².
Factor LaidOut(Factor head, const std::function<void(int64_t i, std::span<float> to)>& row);

// Builds it in f64 from the packed upper triangle of H (tensor/packed_triangle.h), f32. Memory: 8 · in² bytes for the
// time of the call, 4 · in² kept. Errors: MOMENT_NOT_FINITE, MOMENT_NOT_POSITIVE (only possible with very small
// damping).
absl::StatusOr<Factor> BuildFactor(std::span<const float> packed_moment, int64_t inputs, const FactorOptions& options,
                                   ThreadPool& pool);

}  // namespace bitwright::worker
