#include "workers/quantize/unit_rounder.h"

#include "proto/base/status_macros.h"

namespace bitwright::worker {

struct UnitRounder::State {
  RoundingOptions options;
  Device& device;
  std::unique_ptr<DeviceFactor> factor = nullptr;  // GPTQ
  DeviceMatrix moment = {};                        // RTN: H [in, in]
  Buffer<float> diagonal = {};                     // RTN: [in]

  LdlqOptions Ldlq() const { return {options.scales, options.static_groups}; }
};

UnitRounder::UnitRounder(std::unique_ptr<State> state) : state_(std::move(state)) {}
UnitRounder::~UnitRounder() = default;
UnitRounder::UnitRounder(UnitRounder&&) noexcept = default;
UnitRounder& UnitRounder::operator=(UnitRounder&&) noexcept = default;

absl::StatusOr<UnitRounder> UnitRounder::Create(const InputStatistics& statistics, const RoundingOptions& options,
                                                Device& device) {
  auto state = std::make_unique<State>(State{options, device});
  const int64_t in = statistics.columns;
  if (options.method == RoundingOptions::Method::kGptq) {
    ABSL_ASSIGN_OR_RETURN(state->factor, BuildFactor(statistics.second_moment.span(), in, options.factor(), device));
  } else {
    state->moment = DeviceMatrix(device, DType::kF32, in, in);
    device.Write(statistics.Full().span(), state->moment.view());
    state->diagonal = statistics.Diagonal();
  }
  return UnitRounder(std::move(state));
}

UnitRounder UnitRounder::Create(std::unique_ptr<DeviceFactor> factor, const RoundingOptions& options, Device& device) {
  return UnitRounder(std::make_unique<State>(State{options, device, std::move(factor)}));
}

RoundedLinear UnitRounder::Round(const Matrix& weights, IntFormat format) const {
  const State& s = *state_;
  Rounding& rounding = s.device.rounding();
  const IntGrid grid = format.Grid(weights.columns, s.options.storage_type);
  if (s.options.method == RoundingOptions::Method::kGptq) {
    return rounding.RoundLdlq(*s.factor, weights, grid, s.Ldlq());
  }
  RoundedLinear rounded = rounding.RoundNearest(weights, grid, {s.options.scales, DType::kF32}, s.diagonal.span());
  const DeviceMatrix values(s.device, DType::kF32, weights.rows, weights.columns);
  rounding.Dequantize(grid, rounded.codes, rounded.scales, values.view());
  rounded.row_loss = rounding.MomentLosses(weights, values.view(), s.moment.view());
  for (const double loss : rounded.row_loss) rounded.loss += loss;
  return rounded;
}

std::vector<RoundingLoss> UnitRounder::Losses(const Matrix& weights, std::span<const IntFormat> formats,
                                              std::span<const double> row_weights) const {
  const State& s = *state_;
  const auto out = static_cast<size_t>(weights.rows);
  std::vector<double> rows;  // [formats, out]
  if (s.options.method == RoundingOptions::Method::kGptq) {
    std::vector<IntGrid> grids;
    for (const IntFormat format : formats) grids.push_back(format.Grid(weights.columns, s.options.storage_type));
    rows = s.device.rounding().LdlqLosses(*s.factor, weights, grids, s.Ldlq());
  } else {
    for (const IntFormat format : formats) {
      const RoundedLinear rounded = Round(weights, format);
      rows.insert(rows.end(), rounded.row_loss.begin(), rounded.row_loss.end());
    }
  }
  std::vector<RoundingLoss> losses(formats.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    RoundingLoss& loss = losses[i / out];
    loss.moment += rows[i];
    loss.weighted += row_weights[i % out] * rows[i];
  }
  return losses;
}

}  // namespace bitwright::worker
