#pragma once

#include <memory>
#include <optional>

#include "workers/kernels/cuda/cuda_libraries.h"
#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker::cuda {

// A factor in a card's memory. Square matrices have zeros past their ends, so that panels of columns are all alike.
struct CudaFactor final : DeviceFactor {
  CudaFactor(const Context& context, FactorHead of);
  const FactorHead& Head() const override { return head; }

  const FactorHead head;
  const int64_t stride;                      // the inputs, up to whole panels
  Array<float> m;                            // [stride, stride] by position; M
  Array<float> d;                            // [stride] by position; D
  Array<int32_t> order;                      // [inputs]
  Array<uint8_t> dead;                       // [inputs] by column
  std::unique_ptr<Array<float>> importance;  // [inputs] √(H_jj D_j) by column

  // H' [stride, stride] by column, and the factor of it in the order of its columns (`this` where that is the order):
  // made by MomentOf and InOrder when first asked for.
  mutable std::unique_ptr<Array<float>> moment;
  mutable std::unique_ptr<DeviceFactor> in_order;
};

// cuSOLVER's handle on a context's stream, made for the first factorization.
class Solver {
 public:
  explicit Solver(const Context& context) : context_(context) {}
  ~Solver();
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;

  // Rounding::Factorize
  std::optional<int64_t> Factorize(const FactorHead& head, std::span<float> triangle) const;

 private:
  cusolverDnHandle_t Handle() const;

  const Context& context_;
  mutable cusolverDnHandle_t handle_ = nullptr;
};

// Rounding::LoadFactor
std::unique_ptr<CudaFactor> LoadFactor(const Context& context, FactorHead head, const TriangleRows& rows);

const float* MomentOf(const Context& context, const CudaFactor& factor);
const CudaFactor& InOrder(const Context& context, const Solver& solver, const CudaFactor& factor);

}  // namespace bitwright::worker::cuda
