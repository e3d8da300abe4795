#include "workers/sensitivity/profile.h"

#include <algorithm>
#include <cmath>

#include "proto/base/status_macros.h"
#include "workers/evaluate/summary.h"
#include "workers/formats/dequantize.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/quantize/input_rounder.h"
#include "workers/sensitivity/losses.h"

namespace bitwright::worker {
namespace {

// A block in which one unit is replaced; the other units are the block's own.
struct Variant {
  size_t unit = 0;
  IntFormat format;
  double proxy = 0;
  DeviceMatrix weight;
  DeviceMatrix x;  // activations of this variant
};

// The group size at which a width is measured: the largest that fits.
IntFormat MeasuredFormat(int bits, std::span<const IntFormat> formats) {
  IntFormat best{bits, IntFormat::kChannel};
  for (const IntFormat format : formats) {
    if (format.group_size > best.group_size) best.group_size = format.group_size;
  }
  return best;
}

// Profiles one block.
class BlockProfile {
 public:
  BlockProfile(BlockRunner& runner, ThreadPool& pool, const ProfileOptions& options, BlockWeights& block)
      : runner_(runner), pool_(pool), options_(options), block_(block), results_(block.program.units.size()) {}

  // Proxies of all formats, and the variants to measure.
  absl::Status Round(const StatisticsFile& statistics) {
    for (size_t u = 0; u < results_.size(); ++u) {
      const UnitSpec& spec = block_.program.units[u];
      const std::vector<IntFormat> formats = options_.formats(spec.in());
      results_[u].unit = spec.name;
      for (const IntFormat format : formats) results_[u].formats.push_back({format, 0, 0, false});
      std::vector<int> widths = options_.checked_bits;
      widths.push_back(options_.middle_bits);
      const size_t first = variants_.size();
      for (const int bits : widths) NewVariant(u, MeasuredFormat(bits, formats));
      RoundingOptions rounding = options_.rounding;
      rounding.storage_type = runner_.model().UnitType(spec);
      ABSL_RETURN_IF_ERROR(ForEachInput(spec, statistics, rounding, pool_, [&](const InputRounder& input) {
        AddInput(u, input, formats);
        for (size_t v = first; v < variants_.size(); ++v) RoundVariant(variants_[v], input, rounding.storage_type);
        return absl::OkStatus();
      }));
    }
    return absl::OkStatus();
  }

  std::vector<Variant>& variants() { return variants_; }

  // Runs every variant on its own copy of x [windows · window, hidden]. One unit is swapped into the block at a time,
  // and its weights are freed as soon as its windows have passed.
  void RunVariants(const Matrix& x) {
    for (Variant& variant : variants_) {
      variant.x = DeviceMatrix(runner_.device(), DType::kF32, x.rows, x.columns);
      runner_.device().Copy(x, variant.x.view());
      DeviceMatrix& place = block_.matrices[variant.unit].weight;
      std::swap(place, variant.weight);
      runner_.Run(block_, variant.x.view());
      std::swap(place, variant.weight);
      variant.weight = DeviceMatrix();
    }
  }

  absl::Status Record(size_t variant, const TokenStats& stats) {
    const Variant& v = variants_[variant];
    ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary, Summarize(stats));
    const Estimate& kl = summary.kl.mean;
    results_[v.unit].measurements.push_back(
        {v.format, kl.value, kl.standard_error, v.proxy, AlphaOf(kl.value, v.proxy)});
    return absl::OkStatus();
  }

  std::vector<UnitSensitivity> Finish() {
    for (UnitSensitivity& result : results_) FillLosses(options_.middle_bits, result);
    return std::move(results_);
  }

 private:
  void NewVariant(size_t u, IntFormat format) {
    Variant& variant = variants_.emplace_back();
    const Matrix& weight = block_.matrices[u].weight.view();
    variant.unit = u;
    variant.format = format;
    variant.weight = DeviceMatrix(runner_.device(), DType::kF32, weight.rows, weight.columns);
  }

  // Calls each(linear, its rows) for the linears on one input.
  template <typename F>
  void ForEachLinear(size_t u, const InputRounder& input, const F& each) const {
    const UnitSpec& spec = block_.program.units[u];
    for (size_t l = input.first_linear; l < input.first_linear + spec.linears_of_expert(); ++l) {
      int64_t row = 0;
      for (size_t before = 0; before < l; ++before) row += spec.linears[before].out;
      each(spec.linears[l], row);
    }
  }

  std::span<float> Rows(const DeviceMatrix& weight, int64_t row, const LinearSpec& linear) const {
    return {CpuData(weight.view()) + row * linear.in, static_cast<size_t>(linear.out * linear.in)};
  }

  void AddInput(size_t u, const InputRounder& input, const std::vector<IntFormat>& formats) {
    ForEachLinear(u, input, [&](const LinearSpec& linear, int64_t row) {
      const auto losses = input.rounder.Losses(Rows(block_.matrices[u].weight, row, linear), linear.out, formats);
      for (size_t f = 0; f < formats.size(); ++f) results_[u].formats[f].proxy += input.share * losses[f];
    });
  }

  void RoundVariant(Variant& variant, const InputRounder& input, DType storage_type) {
    ForEachLinear(variant.unit, input, [&](const LinearSpec& linear, int64_t row) {
      const std::span<const float> from = Rows(block_.matrices[variant.unit].weight, row, linear);
      const RoundedLinear rounded = input.rounder.Round(from, linear.out, variant.format);
      variant.proxy += input.share * rounded.loss;
      Dequantize(variant.format, linear.out, linear.in, storage_type, rounded.codes, rounded.scales,
                 Rows(variant.weight, row, linear));
    });
  }

  BlockRunner& runner_;
  ThreadPool& pool_;
  const ProfileOptions& options_;
  BlockWeights& block_;
  std::vector<UnitSensitivity> results_;
  std::vector<Variant> variants_;
};

}  // namespace

absl::StatusOr<std::vector<UnitSensitivity>> ProfileBlocks(BlockRunner& runner, ThreadPool& pool,
                                                           const StatisticsFile& statistics, int64_t begin, int64_t end,
                                                           const ProfileData& data, const ProfileOptions& options,
                                                           const std::function<void(double)>& progress) {
  const int64_t layers = runner.model().config().layers;
  HeadComparison head(runner);
  const DeviceMatrix x = runner.Embed(data.ids);
  ABSL_RETURN_IF_ERROR(runner.RunBlocks(0, begin, x.view()));
  double work = 0;
  for (int64_t b = begin; b < end; ++b) work += static_cast<double>(layers - b);
  double done = 0;
  std::vector<UnitSensitivity> all;
  for (int64_t b = begin; b < end; ++b) {
    ABSL_ASSIGN_OR_RETURN(BlockWeights block, runner.LoadBlock(b));
    BlockProfile profile(runner, pool, options, block);
    ABSL_RETURN_IF_ERROR(profile.Round(statistics));
    profile.RunVariants(x.view());
    runner.Run(block, x.view());
    for (int64_t later = b + 1; later < layers; ++later) {
      ABSL_ASSIGN_OR_RETURN(const BlockWeights next, runner.LoadBlock(later));
      for (const Variant& variant : profile.variants()) runner.Run(next, variant.x.view());
      progress((done += 1) / work);
    }
    std::vector<Matrix> finals;
    for (const Variant& variant : profile.variants()) {
      runner.model().FinalNorm(runner.device(), variant.x.view());
      finals.push_back(variant.x.view());
    }
    const std::vector<TokenStats> stats = head.Compare(data.reference, finals, data.ids);
    for (size_t v = 0; v < stats.size(); ++v) ABSL_RETURN_IF_ERROR(profile.Record(v, stats[v]));
    progress((done += 1) / work);
    for (UnitSensitivity& unit : profile.Finish()) all.push_back(std::move(unit));
  }
  return all;
}

}  // namespace bitwright::worker
