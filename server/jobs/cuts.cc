#include "server/jobs/cuts.h"

#include <algorithm>
#include <set>

#include "proto/contract/live_set.h"
#include "server/jobs/costs.h"

namespace bitwright::server {
namespace {

// `pieces` cuts of [0, size) whose sizes differ by at most one.
std::vector<Cut> SplitEvenly(int size, int pieces) {
  std::vector<Cut> cuts;
  for (int64_t i = 0; i < pieces; ++i) {
    cuts.push_back({static_cast<int>(i * size / pieces), static_cast<int>((i + 1) * size / pieces)});
  }
  return cuts;
}

std::vector<Cut> SplitBySize(int size, int piece) {
  std::vector<Cut> cuts;
  for (int begin = 0; begin < size; begin += piece) cuts.push_back({begin, std::min(size, begin + piece)});
  return cuts;
}

std::vector<Cut> BlockRanges(const v1::ModelInfo& info, int64_t calibration_tokens) {
  const int64_t per_range = std::max<int64_t>(1, kRangeBytes / std::max<int64_t>(1, info.largest_block_bytes()));
  const int64_t by_bytes = (info.blocks() + per_range - 1) / per_range;
  const double handed_on = 4.0 * calibration_tokens * std::max<int64_t>(1, info.hidden_size());
  const double by_activations = 1 + kActivationShare * info.tensor_bytes() / std::max(1.0, handed_on);
  return SplitEvenly(info.blocks(), static_cast<int>(std::min<double>(by_bytes, by_activations)));
}

// Fills a task with units up to kProfileFlops and kCheckBytes, within each range.
std::vector<CheckCut> CutChecks(const v1::ModelInfo& info, const v1::Recipe& recipe, const std::vector<Cut>& ranges,
                                int windows, int window) {
  const Costs costs(info, v1::TargetInfo::default_instance(), recipe, window);  // of no target
  const auto range_of = [&](int unit) {
    size_t range = 0;
    while (info.units(unit).block() >= ranges[range].end) ++range;
    return static_cast<int>(range);
  };
  std::vector<CheckCut> cuts;
  for (const int unit : CheckedUnits(info, recipe.sensitivity().checked_units())) {
    const int range = range_of(unit);
    if (!cuts.empty() && cuts.back().range == range) {
      CheckCut more = cuts.back();
      more.units.push_back(unit);
      const double streams =
          static_cast<double>(more.units.size()) * costs.Measurements() * StreamBytes(info, windows, window);
      const bool fits = costs.CheckFlops(ranges[static_cast<size_t>(range)], more.units, windows) <= kProfileFlops &&
                        streams <= kCheckBytes;
      if (fits) {
        cuts.back() = std::move(more);
        continue;
      }
    }
    cuts.push_back({{unit}, range});
  }
  return cuts;
}

}  // namespace

std::vector<int> CheckedUnits(const v1::ModelInfo& info, int count) {
  std::vector<std::vector<int>> by_block(static_cast<size_t>(info.blocks()));
  for (int u = 0; u < info.units_size(); ++u) {
    const int block = info.units(u).block();
    if (block >= 0 && block < info.blocks()) by_block[static_cast<size_t>(block)].push_back(u);
  }
  std::set<int> chosen;
  for (int i = 0; i < count; ++i) {
    const int64_t block = (int64_t{2} * i + 1) * info.blocks() / (int64_t{2} * count);
    const std::vector<int>& units = by_block[static_cast<size_t>(block)];
    if (!units.empty()) chosen.insert(units[static_cast<size_t>(i) % units.size()]);
  }
  return {chosen.begin(), chosen.end()};
}

int TokenShards(const v1::ModelInfo& info, int windows) {
  const int64_t by_bytes = info.tensor_bytes() / std::max<int64_t>(1, info.statistics_bytes()) - 1;
  const int64_t by_windows = windows / kShardWindows;
  return static_cast<int>(std::clamp<int64_t>(std::min(by_bytes, by_windows), 1, kMaxTokenShards));
}

Cuts CutJob(const v1::ModelInfo& info, const v1::Recipe& recipe, int calibration_windows, int window,
            const std::vector<int>& evaluation_windows) {
  Cuts cuts;
  cuts.shards = SplitEvenly(calibration_windows, TokenShards(info, calibration_windows));
  cuts.ranges = BlockRanges(info, int64_t{calibration_windows} * window);
  for (size_t text = 0; text < evaluation_windows.size(); ++text) {
    for (const Cut windows : SplitBySize(evaluation_windows[text], kShardWindows)) {
      cuts.evaluation.push_back({windows, static_cast<int>(text)});
    }
  }
  cuts.profile_windows = std::min(recipe.sensitivity().windows(), calibration_windows);
  cuts.profile_stride = calibration_windows / std::max(cuts.profile_windows, 1);
  cuts.curvature = SplitBySize(cuts.profile_windows, kShardWindows);
  const int checked_windows = cuts.curvature.empty() ? 0 : cuts.curvature[0].size();
  cuts.checks = CutChecks(info, recipe, cuts.ranges, checked_windows, window);
  return cuts;
}

// Fills a task with whole blocks up to kProfileFlops, within each range.
std::vector<ProfileCut> CutProfiles(const Costs& costs, const Cuts& cuts) {
  std::vector<ProfileCut> profiles;
  for (size_t range = 0; range < cuts.ranges.size(); ++range) {
    int begin = cuts.ranges[range].begin;
    for (int block = begin + 1; block <= cuts.ranges[range].end; ++block) {
      const bool full = block < cuts.ranges[range].end && costs.ProfileFlops({begin, block + 1}) > kProfileFlops;
      if (full || block == cuts.ranges[range].end) {
        profiles.push_back({{begin, block}, static_cast<int>(range)});
        begin = block;
      }
    }
  }
  return profiles;
}

}  // namespace bitwright::server
