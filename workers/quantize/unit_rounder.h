#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/second_moment.h"
#include "workers/formats/format.h"
#include "workers/kernels/rounding.h"
#include "workers/quantize/factor.h"
#include "workers/quantize/quantized_linear.h"
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

  bool on_grids = false;  // RTN: formats on grids are among those that will be asked for, which take a factor
  // GPTQ, on grids and lattices: for the result, and where only what it costs is asked for.
  GridSteps steps = {.feedback = true, .sweeps = 3, .refit = true};  // integers without sweeps: RoundLdlq
  GridSteps priced_steps = {.feedback = true, .sweeps = 0};

  FactorOptions factor() const { return {act_order, damping}; }
};

// Whether a format is rounded on a grid or a lattice, for which RTN too takes a factor.
bool AnyOnGrid(std::span<const Format> formats);

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

  // weights [out, in] on the device, whose rows the format fits; fused: the rows of all linears that consumers compute
  // at once with this one, itself among them.
  QuantizedLinear Round(const Matrix& weights, const Matrix& fused, const Format& format) const;

  // The losses alone, one per format. row_weights [out].
  std::vector<RoundingLoss> Losses(const Matrix& weights, const Matrix& fused, std::span<const Format> formats,
                                   std::span<const double> row_weights) const;

 private:
  struct State;
  explicit UnitRounder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::worker
