#include "workers/sensitivity/check.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "proto/base/status_macros.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/quantize/input_rounder.h"

namespace bitwright::worker {
namespace {

// One unit in one format, and the stream of the model that has it.
struct Variant {
  std::string unit;
  Format format;
  DeviceMatrix x;
  double predicted = 0;
};

class Check {
 public:
  Check(BlockRunner& runner, const CheckMoments& moments, const ProfileOptions& options)
      : runner_(runner), moments_(moments), options_(options) {}

  // All variants so far pass through the block.
  void Pass(const BlockWeights& block) {
    for (const Variant& variant : variants_) runner_.Run(block, variant.x.view());
  }

  // Adds the variants of a unit of this block, behind the block; x is the stream that enters it.
  absl::Status Branch(BlockWeights& block, size_t unit, const Matrix& x) {
    const UnitSpec& spec = block.program.units[unit];
    ABSL_ASSIGN_OR_RETURN(const std::vector<double> row_weights, moments_.curvature.Rows(spec.name, spec.out()));
    for (const Format& format : CheckedFormats(options_, options_.formats(spec))) {
      const Matrix& original = block.matrices[unit].weight.view();
      runner_.GiveBack();  // rounding takes as much again
      DeviceMatrix rounded(runner_.device(), DType::kF32, original.rows, original.columns);
      ABSL_ASSIGN_OR_RETURN(const double predicted, Round(spec, format, original, row_weights, rounded.view()));
      Variant& variant =
          variants_.emplace_back(Variant{spec.name, format, runner_.NewStream(x.rows / runner_.window()), predicted});
      runner_.device().Copy(x, variant.x.view());
      std::swap(block.matrices[unit].weight, rounded);
      block.matrices[unit].input = InputOf(format);
      runner_.Run(block, variant.x.view());
      block.matrices[unit].input = {};
      std::swap(block.matrices[unit].weight, rounded);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<UnitCheck>> Measure(const CheckData& data) {
    HeadComparison head(runner_);
    std::vector<Matrix> finals;
    for (const Variant& variant : variants_) {
      runner_.model().FinalNorm(runner_.device(), variant.x.view());
      finals.push_back(variant.x.view());
    }
    const std::vector<TokenStats> stats = head.Compare(data.reference, finals, data.ids);
    std::vector<UnitCheck> checks;
    for (size_t v = 0; v < variants_.size(); ++v) {
      if (checks.empty() || checks.back().unit != variants_[v].unit) checks.push_back({variants_[v].unit, {}});
      ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary, Summarize(stats[v], runner_.window() - 1));
      checks.back().measurements.push_back({variants_[v].format, summary.kl.mean, variants_[v].predicted});
    }
    return checks;
  }

 private:
  // What the curvature predicts of it, nats per token. row_weights [out], the diagonal of G.
  absl::StatusOr<double> Round(const UnitSpec& unit, const Format& format, const Matrix& from,
                               std::span<const double> row_weights, const Matrix& to) const {
    double predicted = 0;
    RoundingOptions rounding = options_.rounding;
    rounding.storage_type = runner_.model().UnitType(unit);
    rounding.on_grids = AnyOnGrid({&format, 1});
    Device& device = runner_.device();
    ABSL_RETURN_IF_ERROR(ForEachInput(unit, moments_.statistics, rounding, device, [&](const InputRounder& input) {
      const Matrix fused = FusedRows(unit, input, from);
      ForEachLinear(unit, input, [&](const LinearSpec& linear, size_t /*l*/, int64_t row) {
        const Matrix weights = from.Rows(row, linear.out);
        const auto own_rows = row_weights.subspan(static_cast<size_t>(row), static_cast<size_t>(linear.out));
        predicted += input.rounder.Losses(weights, fused, {&format, 1}, own_rows)[0].weighted / 2;
        WriteValues(input.rounder.Round(weights, fused, format), format, rounding.storage_type, device,
                    to.Rows(row, linear.out));
      });
      return absl::OkStatus();
    }));
    return predicted;
  }

  BlockRunner& runner_;
  const CheckMoments moments_;
  const ProfileOptions& options_;
  std::vector<Variant> variants_;
};

}  // namespace

std::vector<Format> CheckedFormats(const ProfileOptions& options, std::span<const Format> formats) {
  std::vector<int> widths = options.checked_bits;
  widths.push_back(options.middle_bits);
  std::vector<Format> checked;
  for (const int bits : widths) {
    const auto rank = [&](const Format& format) {
      return std::pair(std::abs(WidthOf(format) - bits), -WidthOf(format));
    };
    const auto best = std::min_element(formats.begin(), formats.end(), [&](const Format& a, const Format& b) {
      return rank(a) != rank(b) ? rank(a) < rank(b) : IsMoreTypical(a, b);
    });
    if (std::find(checked.begin(), checked.end(), *best) == checked.end()) checked.push_back(*best);
  }
  return checked;
}

absl::StatusOr<std::vector<UnitCheck>> CheckUnits(BlockRunner& runner, const CheckMoments& moments, int64_t begin,
                                                  std::span<const CheckedUnit> units, const CheckData& data,
                                                  const ProfileOptions& options,
                                                  const std::function<void(double)>& progress) {
  const int64_t layers = runner.model().config().layers;
  Check check(runner, moments, options);
  const DeviceMatrix x = runner.NewStream(data.entering.rows / runner.window());
  runner.device().Copy(data.entering, x.view());
  size_t next = 0;
  for (int64_t b = begin; b < layers; ++b) {
    ABSL_ASSIGN_OR_RETURN(BlockWeights block, runner.LoadBlock(b));
    runner.model().Prefetch(b + 1);
    check.Pass(block);
    for (; next < units.size() && units[next].block == b; ++next) {
      ABSL_RETURN_IF_ERROR(check.Branch(block, units[next].unit, x.view()));
    }
    if (next < units.size()) runner.Run(block, x.view());
    progress(static_cast<double>(b - begin + 1) / static_cast<double>(layers - begin));
  }
  return check.Measure(data);
}

}  // namespace bitwright::worker
