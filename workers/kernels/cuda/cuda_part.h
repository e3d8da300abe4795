#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "workers/kernels/cuda/cuda_factor.h"
#include "workers/kernels/cuda/ldlq_panel.h"
#include "workers/kernels/cuda/product.h"
#include "workers/kernels/cuda/row_sums.h"

namespace bitwright::worker::cuda {

// Rows of one linear on their way through rounding, whatever their values lie on: W, the values Q and what follows from
// both. Arrays are [rows, stride] unless stated, rows one after the other, zeros past a row's end.
class CudaPart {
 protected:
  // weights [rows, inputs]; all outlive this.
  CudaPart(const Context& context, const CudaFactor& factor, const Matrix& weights);

  // E = W − Q, R = E H' from the values, and each row's J.
  void FollowValues();
  // to = from H'
  void MultiplyMoment(const Array<float>& from, const Array<float>& to) const;
  // Once over all columns, so many at a time, in order: each(begin, width) changes values and leaves in `delta_` what
  // they rose by; R of later columns follows.
  void SweepBlocks(const std::function<cudaError_t(int64_t begin, int width)>& each);
  // x [rows, unknowns] of A x = b, each row by itself, from x = 0 by a dozen steps of conjugate gradients; apply(x, to)
  // writes A x, which is positive semidefinite. b is used up.
  std::unique_ptr<Array<float>> Solve(Array<float>& b,
                                      const std::function<void(const float* x, float* to)>& apply) const;
  // (ΔW H ΔWᵀ)_rr, undamped, to the host. R must follow the values.
  void ReadLosses(std::span<double> to) const;

  template <typename T>
  std::unique_ptr<Array<T>> CopyOf(const Array<T>& from) const {
    auto copy = std::make_unique<Array<T>>(context_, from.elements());
    Copy(from.data(), from.elements(), copy->data());
    return copy;
  }
  template <typename T>
  void Copy(const T* from, int64_t elements, T* to) const {
    Check(
        cudaMemcpyAsync(to, from, static_cast<size_t>(elements) * sizeof(T), cudaMemcpyDeviceToDevice, context_.stream),
        "copy");
  }
  // What has J above `before` [rows] (or equal to it, unless that is kept) gets its old values back.
  template <typename T>
  void Undo(const Array<double>& before, bool keeps_equal, const Array<T>& old, const Array<T>& values) const {
    Check(UndoRows({rows_, j_.data(), before.data(), keeps_equal}, old.elements() / std::max<int64_t>(rows_, 1),
                   old.data(), values.data(), context_.stream),
          "undoing a step");
  }

  // Whether any row's J is above `before`, which is not to be kept.
  bool AnyRose(const Array<double>& before) const;

  Wide All(const Array<float>& array) const { return {array.data(), rows_, factor_.stride, factor_.stride}; }

  const Context& context_;
  const CudaFactor& factor_;
  const float* moment_;
  const Wide weights_;
  const int64_t rows_, in_;
  Array<float> w_, q_, r_, e_;
  Array<float> delta_;  // [rows, kPanel]
  Array<double> j_;     // [rows]
};

}  // namespace bitwright::worker::cuda
