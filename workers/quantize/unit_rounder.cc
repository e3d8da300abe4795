#include "workers/quantize/unit_rounder.h"

#include "proto/base/status_macros.h"
#include "workers/formats/dequantize.h"
#include "workers/quantize/gptq.h"
#include "workers/quantize/rounding_loss.h"
#include "workers/quantize/rtn.h"

namespace bitwright::worker {

struct UnitRounder::State {
  RoundingOptions options;
  ThreadPool* pool = nullptr;
  int64_t in = 0;
  Factor factor;           // GPTQ
  Buffer<float> moment;    // RTN: H [in, in]
  Buffer<float> diagonal;  // RTN: [in]

  GptqOptions Gptq() const {
    GptqOptions gptq;
    gptq.scales = options.scales;
    gptq.static_groups = options.static_groups;
    gptq.storage_type = options.storage_type;
    return gptq;
  }
};

UnitRounder::UnitRounder(std::unique_ptr<State> state) : state_(std::move(state)) {}
UnitRounder::~UnitRounder() = default;
UnitRounder::UnitRounder(UnitRounder&&) noexcept = default;
UnitRounder& UnitRounder::operator=(UnitRounder&&) noexcept = default;

absl::StatusOr<UnitRounder> UnitRounder::Create(const InputStatistics& statistics, const RoundingOptions& options,
                                                ThreadPool& pool) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->pool = &pool;
  state->in = statistics.columns;
  if (options.method == RoundingOptions::Method::kGptq) {
    ABSL_ASSIGN_OR_RETURN(state->factor,
                          BuildFactor(statistics.second_moment.span(), state->in, options.factor(), pool));
  } else {
    state->moment = statistics.Full();
    state->diagonal = statistics.Diagonal();
  }
  return UnitRounder(std::move(state));
}

UnitRounder UnitRounder::Create(Factor factor, const RoundingOptions& options, ThreadPool& pool) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->pool = &pool;
  state->in = factor.inputs;
  state->factor = std::move(factor);
  return UnitRounder(std::move(state));
}

RoundedLinear UnitRounder::Round(std::span<const float> weights, int64_t out, IntFormat format) const {
  const State& s = *state_;
  if (s.options.method == RoundingOptions::Method::kGptq) {
    return GptqRound(s.factor, weights, out, format, s.Gptq(), *s.pool);
  }
  const RtnOptions options{s.options.scales, s.options.storage_type, DType::kF32};
  RoundedLinear rounded = RoundToNearest(weights, out, s.in, format, s.diagonal.span(), options, *s.pool);
  Buffer<float> values(out * s.in);
  Dequantize(format, out, s.in, s.options.storage_type, rounded.codes, rounded.scales, values.span());
  rounded.row_loss = RowLosses(weights, values.span(), out, s.in, s.moment.span(), *s.pool);
  for (const double loss : rounded.row_loss) rounded.loss += loss;
  return rounded;
}

std::vector<RoundingLoss> UnitRounder::Losses(std::span<const float> weights, int64_t out,
                                              std::span<const IntFormat> formats,
                                              std::span<const double> row_weights) const {
  std::vector<double> rows;  // [formats, out]
  if (state_->options.method == RoundingOptions::Method::kGptq) {
    rows = GptqRowLosses(state_->factor, weights, out, formats, state_->Gptq(), *state_->pool);
  } else {
    for (const IntFormat format : formats) {
      const RoundedLinear rounded = Round(weights, out, format);
      rows.insert(rows.end(), rounded.row_loss.begin(), rounded.row_loss.end());
    }
  }
  std::vector<RoundingLoss> losses(formats.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    RoundingLoss& loss = losses[i / static_cast<size_t>(out)];
    loss.moment += rows[i];
    loss.weighted += row_weights[i % static_cast<size_t>(out)] * rows[i];
  }
  return losses;
}

}  // namespace bitwright::worker
