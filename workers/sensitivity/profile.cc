#include "workers/sensitivity/profile.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "proto/base/status_macros.h"
#include "workers/evaluate/summary.h"
#include "workers/formats/dequantize.h"
#include "workers/sensitivity/losses.h"

namespace bitwright::worker {
namespace {

// A block in which one unit is replaced; the other units are the block's own.
struct Variant {
  size_t unit = 0;
  IntFormat format;
  double proxy = 0;
  UnitWeights weights;
  Buffer<float> x;  // activations of this variant
};

std::span<const float> LinearRows(const UnitWeights& unit, int64_t first_row, int64_t rows) {
  return unit.weight.span().subspan(static_cast<size_t>(first_row * unit.in), static_cast<size_t>(rows * unit.in));
}

// The group size at which a width is measured: the largest that fits.
IntFormat MeasuredFormat(int bits, std::span<const IntFormat> formats) {
  IntFormat best{bits, IntFormat::kChannel};
  for (const IntFormat format : formats) {
    if (format.group_size > best.group_size) best.group_size = format.group_size;
  }
  return best;
}

UnitWeights CopyUnit(const UnitWeights& from) {
  UnitWeights to;
  to.out = from.out;
  to.in = from.in;
  to.weight = Buffer<float>(from.weight.size());
  if (from.bias.size() > 0) {
    to.bias = Buffer<float>(from.bias.size());
    std::memcpy(to.bias.data(), from.bias.data(), static_cast<size_t>(from.bias.size()) * sizeof(float));
  }
  return to;
}

// Profiles one block.
class BlockProfile {
 public:
  BlockProfile(WindowRunner& runner, const ProfileOptions& options, const BlockSpec& spec, BlockWeights& block)
      : runner_(runner), options_(options), spec_(spec), block_(block), results_(kTapPoints) {}

  // Proxies of all formats, and the variants to measure.
  absl::Status Round(const StatisticsFile& statistics) {
    for (size_t u = 0; u < spec_.units.size(); ++u) {
      ABSL_ASSIGN_OR_RETURN(const InputStatistics input, statistics.Read(spec_.units[u].name));
      RoundingOptions rounding = options_.rounding;
      rounding.storage_type = runner_.model().UnitType(spec_.units[u]);
      ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, UnitRounder::Create(input, rounding, runner_.pool()));
      RoundUnit(u, rounder, rounding.storage_type);
    }
    return absl::OkStatus();
  }

  std::vector<Variant>& variants() { return variants_; }

  // Runs every variant on its own copy of x [windows, window, hidden]. One unit is swapped into the block at a time,
  // and its weights are freed as soon as its windows have passed.
  void RunVariants(int64_t windows, const float* x) {
    const int64_t elements = windows * runner_.WindowElements();
    for (Variant& variant : variants_) {
      variant.x = Buffer<float>(elements);
      std::memcpy(variant.x.data(), x, static_cast<size_t>(elements) * sizeof(float));
      UnitWeights& place = block_.units[variant.unit];
      std::swap(place, variant.weights);
      runner_.RunBlock(block_, windows, variant.x.data());
      std::swap(place, variant.weights);
      variant.weights = UnitWeights();
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
  void RoundUnit(size_t u, const UnitRounder& rounder, DType storage_type) {
    const UnitSpec& spec = spec_.units[u];
    UnitSensitivity& result = results_[u];
    result.unit = spec.name;
    const std::vector<IntFormat> formats = options_.formats(spec.in());
    std::vector<double> proxies(formats.size(), 0.0);
    int64_t row = 0;
    for (const LinearSpec& linear : spec.linears) {
      const auto losses = rounder.Losses(LinearRows(block_.units[u], row, linear.out), linear.out, formats);
      for (size_t f = 0; f < formats.size(); ++f) proxies[f] += losses[f];
      row += linear.out;
    }
    for (size_t f = 0; f < formats.size(); ++f) result.formats.push_back({formats[f], proxies[f], 0, false});
    std::vector<int> widths = options_.checked_bits;
    widths.push_back(options_.middle_bits);
    for (const int bits : widths) MakeVariant(u, MeasuredFormat(bits, formats), rounder, storage_type);
  }

  void MakeVariant(size_t u, IntFormat format, const UnitRounder& rounder, DType storage_type) {
    Variant& variant = variants_.emplace_back();
    variant.unit = u;
    variant.format = format;
    variant.weights = CopyUnit(block_.units[u]);
    int64_t row = 0;
    for (const LinearSpec& linear : spec_.units[u].linears) {
      const RoundedLinear rounded = rounder.Round(LinearRows(block_.units[u], row, linear.out), linear.out, format);
      variant.proxy += rounded.loss;
      Dequantize(format, linear.out, linear.in, storage_type, rounded.codes, rounded.scales,
                 variant.weights.weight.span().subspan(static_cast<size_t>(row * linear.in),
                                                       static_cast<size_t>(linear.out * linear.in)));
      row += linear.out;
    }
    PrepareUnit(variant.weights, runner_.decoder().compute(), runner_.pool());
  }

  WindowRunner& runner_;
  const ProfileOptions& options_;
  const BlockSpec& spec_;
  BlockWeights& block_;
  std::vector<UnitSensitivity> results_;
  std::vector<Variant> variants_;
};

}  // namespace

absl::StatusOr<std::vector<UnitSensitivity>> ProfileBlocks(WindowRunner& runner, const StatisticsFile& statistics,
                                                           int64_t begin, int64_t end, const ProfileData& data,
                                                           const ProfileOptions& options,
                                                           const std::function<void(double)>& progress) {
  const Model& model = runner.model();
  const Compute compute = runner.decoder().compute();
  const int64_t layers = model.config().layers;
  const HeadComparison head(model, compute, runner.pool());
  Buffer<float> x(data.windows * runner.WindowElements());
  runner.Embed(data.ids, x.data());
  for (int64_t b = 0; b < begin; ++b) {
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, model.LoadBlock(b, compute, runner.pool()));
    runner.RunBlock(block, data.windows, x.data());
  }
  double work = 0;
  for (int64_t b = begin; b < end; ++b) work += static_cast<double>(layers - b);
  double done = 0;
  std::vector<UnitSensitivity> all;
  for (int64_t b = begin; b < end; ++b) {
    const BlockSpec spec = DescribeBlock(model.config(), b);
    ABSL_ASSIGN_OR_RETURN(BlockWeights block, model.LoadBlock(b, compute, runner.pool()));
    BlockProfile profile(runner, options, spec, block);
    ABSL_RETURN_IF_ERROR(profile.Round(statistics));
    profile.RunVariants(data.windows, x.data());
    runner.RunBlock(block, data.windows, x.data());
    block = BlockWeights();
    std::vector<float*> streams;
    for (Variant& variant : profile.variants()) streams.push_back(variant.x.data());
    for (int64_t later = b + 1; later < layers; ++later) {
      ABSL_ASSIGN_OR_RETURN(const BlockWeights next, model.LoadBlock(later, compute, runner.pool()));
      runner.RunBlock(next, data.windows, streams);
      progress((done += 1) / work);
    }
    for (float* stream : streams) runner.FinalNorm(data.windows, stream);
    const std::vector<const float*> finals(streams.begin(), streams.end());
    const auto stats = head.Compare(data.windows, runner.decoder().window(), data.reference, finals, data.ids);
    for (size_t v = 0; v < stats.size(); ++v) ABSL_RETURN_IF_ERROR(profile.Record(v, stats[v]));
    progress((done += 1) / work);
    for (UnitSensitivity& unit : profile.Finish()) all.push_back(std::move(unit));
  }
  return all;
}

}  // namespace bitwright::worker
