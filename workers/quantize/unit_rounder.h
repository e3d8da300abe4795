#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/second_moment.h"
#include "workers/formats/int_format.h"
#include "workers/kernels/rounding.h"
#include "workers/quantize/factor.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

struct RoundingOptions {
  enum class Method { kRtn, kGptq };
  Method method = Method::kGptq;
  ScaleMethod scales = ScaleMethod::kSearched;
  bool act_order = false;            // GPTQ; makes group scales static
  bool static_groups = false;        // GPTQ
  double damping = 0.01;             // GPTQ
  DType storage_type = DType::kF32;  // dtype of the model's weights

  FactorOptions factor() const { return {act_order, damping}; }
};

// What rounding a linear costs.
struct RoundingLoss {
  double moment = 0;    // tr(ΔW H ΔWᵀ)
  double weighted = 0;  // Σ_r weight_r · (ΔW H ΔWᵀ)_rr
};

// Rounds the linears of one unit, all of which have the same input: one factorization for all linears and formats.
// On a device, which must outlive it. Not thread-safe.
class UnitRounder {
 public:
  // Errors of BuildFactor. `statistics` is read during the call only, except by RTN, which keeps it.
  static absl::StatusOr<UnitRounder> Create(const InputStatistics& statistics, const RoundingOptions& options,
                                            Device& device);
  // GPTQ with a factor that was built with options.factor().
  static UnitRounder Create(std::unique_ptr<DeviceFactor> factor, const RoundingOptions& options, Device& device);
  ~UnitRounder();
  UnitRounder(UnitRounder&&) noexcept;
  UnitRounder& operator=(UnitRounder&&) noexcept;

  // weights [out, in] on the device. loss = tr(ΔW H ΔWᵀ) is filled in for every method.
  RoundedLinear Round(const Matrix& weights, IntFormat format) const;

  // The losses alone, one per format. row_weights [out].
  std::vector<RoundingLoss> Losses(const Matrix& weights, std::span<const IntFormat> formats,
                                   std::span<const double> row_weights) const;

 private:
  struct State;
  explicit UnitRounder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::worker
