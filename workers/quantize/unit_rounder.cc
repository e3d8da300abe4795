#include "workers/quantize/unit_rounder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proto/base/status_macros.h"
#include "workers/formats/codebook_table.h"

namespace bitwright::worker {
struct UnitRounder::State {
  RoundingOptions options;
  Device& device;
  std::unique_ptr<DeviceFactor> factor = nullptr;
  DeviceMatrix moment = {};     // RTN: H [in, in]
  Buffer<float> diagonal = {};  // RTN: [in]

  bool gptq() const { return options.method == RoundingOptions::Method::kGptq; }
  LdlqOptions Ldlq() const { return {options.scales, options.static_groups}; }
  IntGrid GridFor(const Matrix& weights, IntFormat format) const {
    return format.Grid(weights.columns, options.storage_type);
  }

  RoundedLinear RoundIntegers(const Matrix& weights, IntFormat format) const;
  RoundedLinear SweptIntegers(const Matrix& weights, IntFormat format) const;
  // On a grid or a lattice, or not at all: all but symmetric integers.
  QuantizedLinear RoundOther(const Matrix& weights, const Matrix& fused, const Format& format,
                             const GridSteps& steps) const;
  QuantizedLinear RoundFloats(const Matrix& weights, const Matrix& fused, FloatFormat format, GridSteps steps) const;
  QuantizedLinear RoundToTable(const Matrix& weights, CodebookFormat format, GridSteps steps) const;
  QuantizedLinear Keep(const Matrix& weights) const;
  // [formats][out]
  std::vector<std::vector<double>> RowLosses(const Matrix& weights, const Matrix& fused,
                                             std::span<const Format> formats) const;
};

RoundedLinear UnitRounder::State::RoundIntegers(const Matrix& weights, IntFormat format) const {
  Rounding& rounding = device.rounding();
  const IntGrid grid = GridFor(weights, format);
  if (gptq()) {
    const bool sweeps = options.steps.sweeps > 0 && format.group_size != IntFormat::kChannel;
    return sweeps ? SweptIntegers(weights, format) : rounding.RoundLdlq(*factor, weights, grid, Ldlq());
  }
  RoundedLinear rounded = rounding.RoundNearest(weights, grid, {options.scales, DType::kF32}, diagonal.span());
  const DeviceMatrix values(device, DType::kF32, weights.rows, weights.columns);
  rounding.Dequantize(grid, rounded.codes, rounded.scales, values.view());
  rounded.row_loss = rounding.MomentLosses(weights, values.view(), moment.view());
  for (const double loss : rounded.row_loss) rounded.loss += loss;
  return rounded;
}

RoundedLinear UnitRounder::State::SweptIntegers(const Matrix& weights, IntFormat format) const {
  GridRounded swept =
      device.rounding().RoundOnGrid(*factor, weights, format.Values(options.storage_type), options.steps);
  RoundedLinear rounded;
  rounded.codes.reserve(swept.codes.codes.size());
  const int least = GridFor(weights, format).MinCode();
  for (const uint8_t code : swept.codes.codes) rounded.codes.push_back(static_cast<int8_t>(code + least));
  rounded.scales = std::move(swept.codes.scales);
  rounded.row_loss = std::move(swept.row_loss);
  rounded.loss = swept.loss;
  return rounded;
}

QuantizedLinear UnitRounder::State::RoundFloats(const Matrix& weights, const Matrix& fused, FloatFormat format,
                                                GridSteps steps) const {
  const Extremes extremes = ExtremesOf(device, weights, fused);
  const std::vector<float> scales = GivenScales(format, extremes, weights.columns, options.storage_type);
  steps.scales = scales;
  const float divisor = DivisorOf(format, extremes.most);
  const Grid grid = GridOf(format, weights.columns, options.storage_type, divisor);
  return {FloatRounded{device.rounding().RoundOnGrid(*factor, weights, grid, steps), divisor}};
}

QuantizedLinear UnitRounder::State::RoundToTable(const Matrix& weights, CodebookFormat format, GridSteps steps) const {
  std::vector<float> values(static_cast<size_t>(weights.rows * weights.columns));
  device.Read(weights, values);
  const std::vector<float> scales = AbsMaxScales(format, values, weights.columns, options.storage_type);
  std::vector<float> table(std::begin(kNf4Values), std::end(kNf4Values));
  if (format.type == CodebookFormat::Type::kKMeans) {
    std::vector<float> diagonal = factor->Head().diagonal;
    for (size_t j = 0; j < diagonal.size(); ++j) diagonal[j] = factor->Head().dead[j] != 0 ? 0 : diagonal[j];
    table = KMeansTable(format, values, scales, diagonal);
  }
  const bool given = options.scales == ScaleMethod::kAbsMax;
  const Grid grid = GridOf(format, weights.columns, options.storage_type, table, given);
  if (grid.given_scales) steps.scales = scales;
  return {CodebookRounded{device.rounding().RoundOnGrid(*factor, weights, grid, steps), std::move(table)}};
}

QuantizedLinear UnitRounder::State::Keep(const Matrix& weights) const {
  PlainLinear plain;
  plain.values.resize(static_cast<size_t>(weights.rows * weights.columns));
  device.Read(weights, plain.values);
  plain.row_loss.resize(static_cast<size_t>(weights.rows));
  return {std::move(plain)};
}

QuantizedLinear UnitRounder::State::RoundOther(const Matrix& weights, const Matrix& fused, const Format& format,
                                               const GridSteps& steps) const {
  if (std::holds_alternative<PlainFormat>(format)) return Keep(weights);
  const GridSteps taken = gptq() ? steps : GridSteps{.feedback = false, .sweeps = 0};
  if (const auto* floats = std::get_if<FloatFormat>(&format)) return RoundFloats(weights, fused, *floats, taken);
  if (const auto* codebook = std::get_if<CodebookFormat>(&format)) return RoundToTable(weights, *codebook, taken);
  Rounding& rounding = device.rounding();
  if (const auto* integer = std::get_if<IntFormat>(&format)) {
    return {rounding.RoundOnGrid(*factor, weights, integer->Values(options.storage_type), taken)};
  }
  const BlockType type = std::get<BlockType>(format);
  if (OnLattice(type)) return {rounding.RoundOnLattice(*factor, weights, LatticeOf(type), taken)};
  return {rounding.RoundOnGrid(*factor, weights, GridOf(type), taken)};
}

std::vector<std::vector<double>> UnitRounder::State::RowLosses(const Matrix& weights, const Matrix& fused,
                                                               std::span<const Format> formats) const {
  std::vector<std::vector<double>> rows(formats.size());
  std::vector<IntGrid> grids;  // of integers, which GPTQ rounds to all at once
  std::vector<size_t> together;
  for (size_t f = 0; f < formats.size(); ++f) {
    const IntFormat* integers = SymmetricIntegers(formats[f]);
    if (std::holds_alternative<PlainFormat>(formats[f])) {
      rows[f].resize(static_cast<size_t>(weights.rows));
    } else if (integers == nullptr) {
      rows[f] = RoundOther(weights, fused, formats[f], options.priced_steps).row_loss();
    } else if (gptq()) {
      grids.push_back(GridFor(weights, *integers));
      together.push_back(f);
    } else {
      rows[f] = RoundIntegers(weights, *integers).row_loss;
    }
  }
  if (grids.empty()) return rows;
  const std::vector<double> losses = device.rounding().LdlqLosses(*factor, weights, grids, Ldlq());
  for (size_t i = 0; i < together.size(); ++i) {
    const auto begin = losses.begin() + static_cast<int64_t>(i) * weights.rows;
    rows[together[i]].assign(begin, begin + weights.rows);
  }
  return rows;
}

bool AnyOnGrid(std::span<const Format> formats) {
  return std::ranges::any_of(formats, [](const Format& format) {
    return SymmetricIntegers(format) == nullptr && !std::holds_alternative<PlainFormat>(format);
  });
}

UnitRounder::UnitRounder(std::unique_ptr<State> state) : state_(std::move(state)) {}
UnitRounder::~UnitRounder() = default;
UnitRounder::UnitRounder(UnitRounder&&) noexcept = default;
UnitRounder& UnitRounder::operator=(UnitRounder&&) noexcept = default;

absl::StatusOr<UnitRounder> UnitRounder::Create(const InputStatistics& statistics, const RoundingOptions& options,
                                                Device& device) {
  auto state = std::make_unique<State>(State{options, device});
  const int64_t in = statistics.columns;
  if (state->gptq() || options.on_grids) {
    ABSL_ASSIGN_OR_RETURN(state->factor, BuildFactor(statistics.second_moment.span(), in, options.factor(), device));
  }
  if (!state->gptq()) {
    state->moment = DeviceMatrix(device, DType::kF32, in, in);
    device.Write(statistics.Full().span(), state->moment.view());
    state->diagonal = statistics.Diagonal();
  }
  return UnitRounder(std::move(state));
}

UnitRounder UnitRounder::Create(std::unique_ptr<DeviceFactor> factor, const RoundingOptions& options, Device& device) {
  return UnitRounder(std::make_unique<State>(State{options, device, std::move(factor)}));
}

QuantizedLinear UnitRounder::Round(const Matrix& weights, const Matrix& fused, const Format& format) const {
  const State& s = *state_;
  if (const IntFormat* integers = SymmetricIntegers(format)) return {s.RoundIntegers(weights, *integers)};
  return s.RoundOther(weights, fused, format, s.options.steps);
}

std::vector<RoundingLoss> UnitRounder::Losses(const Matrix& weights, const Matrix& fused,
                                              std::span<const Format> formats,
                                              std::span<const double> row_weights) const {
  const State& s = *state_;
  const std::vector<std::vector<double>> rows = s.RowLosses(weights, fused, formats);
  std::vector<RoundingLoss> losses(formats.size());
  for (size_t f = 0; f < formats.size(); ++f) {
    for (size_t r = 0; r < rows[f].size(); ++r) {
      losses[f].moment += rows[f][r];
      losses[f].weighted += row_weights[r] * rows[f][r];
    }
  }
  return losses;
}

}  // namespace bitwright::worker
