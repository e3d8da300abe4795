#include "server/jobs/cuts.h"

#include <algorithm>

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

// Fills a task with whole blocks up to kProfileFlops, within each range.
std::vector<ProfileCut> ProfileCuts(const Costs& costs, const std::vector<Cut>& ranges, int windows) {
  std::vector<ProfileCut> cuts;
  for (size_t range = 0; range < ranges.size(); ++range) {
    int begin = ranges[range].begin;
    for (int block = begin + 1; block <= ranges[range].end; ++block) {
      const bool full = block < ranges[range].end && costs.ProfileFlops({begin, block + 1}, windows) > kProfileFlops;
      if (full || block == ranges[range].end) {
        cuts.push_back({{begin, block}, static_cast<int>(range)});
        begin = block;
      }
    }
  }
  return cuts;
}

}  // namespace

int TokenShards(const v1::ModelInfo& info, int windows) {
  const int64_t by_bytes = info.tensor_bytes() / std::max<int64_t>(1, info.statistics_bytes()) - 1;
  const int64_t by_windows = windows / kShardWindows;
  return static_cast<int>(std::clamp<int64_t>(std::min(by_bytes, by_windows), 1, kMaxTokenShards));
}

Cuts CutJob(const v1::ModelInfo& info, const v1::Recipe& recipe, int calibration_windows, int window,
            int evaluation_windows) {
  Cuts cuts;
  cuts.shards = SplitEvenly(calibration_windows, TokenShards(info, calibration_windows));
  cuts.ranges = BlockRanges(info, int64_t{calibration_windows} * window);
  cuts.evaluation = SplitBySize(evaluation_windows, kShardWindows);
  cuts.profile_windows = std::min(recipe.sensitivity().windows(), calibration_windows);
  cuts.profile_stride = calibration_windows / std::max(cuts.profile_windows, 1);
  cuts.profiles = ProfileCuts(Costs(info, recipe, window), cuts.ranges, cuts.profile_windows);
  return cuts;
}

}  // namespace bitwright::server
