#include "workers/sensitivity/profile.h"

#include "proto/base/status_macros.h"
#include "workers/quantize/input_rounder.h"

namespace bitwright::worker {
namespace {

// Adds what the linears on one input cost in every format.
void AddInput(const UnitSpec& unit, const InputRounder& input, const Matrix& weights, const std::vector<double>& rows,
              const std::vector<Format>& formats, UnitProfile& profile) {
  const Matrix fused = FusedRows(unit, input, weights);
  ForEachLinear(unit, input, [&](const LinearSpec& linear, size_t l, int64_t row) {
    const auto own_rows = std::span(rows).subspan(static_cast<size_t>(row), static_cast<size_t>(linear.out));
    const std::vector<RoundingLoss> losses =
        input.rounder.Losses(weights.Rows(row, linear.out), fused, formats, own_rows);
    for (size_t f = 0; f < formats.size(); ++f) {
      profile.options[f].proxy += input.share * losses[f].moment;
      profile.options[f].predicted += losses[f].weighted / 2;
      profile.options[f].linears[l % unit.linears_of_expert()] += losses[f].weighted / 2;
    }
  });
}

}  // namespace

absl::StatusOr<std::vector<UnitProfile>> ProfileBlocks(const Model& model, Device& device,
                                                       const StatisticsFile& statistics,
                                                       const CurvatureFiles& curvature, int64_t begin, int64_t end,
                                                       const ProfileOptions& options,
                                                       const std::function<void(double)>& progress) {
  std::vector<UnitProfile> all;
  for (int64_t b = begin; b < end; ++b) {
    const std::vector<UnitSpec> units = model.config().block(b).units;
    for (size_t u = 0; u < units.size(); ++u) {
      const UnitSpec& unit = units[u];
      const std::vector<Format> formats = options.formats(unit);
      UnitProfile& profile = all.emplace_back();
      profile.unit = unit.name;
      for (const Format& format : formats) {
        profile.options.push_back({format, 0, 0, std::vector<double>(unit.linears_of_expert())});
      }
      ABSL_ASSIGN_OR_RETURN(const std::vector<double> rows, curvature.Rows(unit.name, unit.out()));
      const DeviceMatrix weights(device, DType::kF32, unit.out(), unit.in());
      model.LoadUnit(unit, device, weights.view());
      RoundingOptions rounding = options.rounding;
      rounding.storage_type = model.UnitType(unit);
      rounding.on_grids = AnyOnGrid(formats);
      ABSL_RETURN_IF_ERROR(ForEachInput(unit, statistics, rounding, device, [&](const InputRounder& input) {
        if (!input.reached) profile.unreached.push_back(input.expert);
        AddInput(unit, input, weights.view(), rows, formats, profile);
        return absl::OkStatus();
      }));
      progress((static_cast<double>(b - begin) + static_cast<double>(u + 1) / static_cast<double>(units.size())) /
               static_cast<double>(end - begin));
    }
  }
  return all;
}

}  // namespace bitwright::worker
