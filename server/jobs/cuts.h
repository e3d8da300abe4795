#pragma once

#include <cstdint>
#include <vector>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"

namespace bitwright::server {

inline constexpr int kShardWindows = 16;                  // of one reference or evaluate task
inline constexpr int64_t kRangeBytes = int64_t{2} << 30;  // stored block bytes of one calibrate or quantize task
// Share of the tensors' bytes that the activations between ranges may take together; fewer, larger ranges keep to it.
inline constexpr double kActivationShare = 0.6;
inline constexpr double kProfileFlops = 2e12;  // of one profile or check task, more only where one block or unit has
inline constexpr int64_t kCheckBytes = int64_t{1} << 30;  // activations of one check task's measurements, likewise
inline constexpr int kMaxTokenShards = 64;
// Windows of the calibration text that plans are chosen on, at most, in place of the evaluation text.
inline constexpr int kHeldOutWindows = 16;

// Half-open.
struct Cut {
  int begin = 0;
  int end = 0;
  int size() const { return end - begin; }
  bool operator==(const Cut&) const = default;
};

// A profile task: blocks that lie within blocks[range].
struct ProfileCut {
  Cut blocks;
  int range = 0;
};

// A reference or evaluate task: windows of one evaluation text.
struct EvaluationCut {
  Cut windows;
  int text = 0;
};

// A check task: units of ModelInfo, all of blocks that lie within blocks[range], in order.
struct CheckCut {
  std::vector<int> units;
  int range = 0;
};

class Costs;

// How a job is cut into tasks. Depends on the tensors that the model uses, recipe and amount of data alone: never on
// the fleet, and never on what else lies in the model's folder.
struct Cuts {
  std::vector<Cut> shards;                // calibration windows, ascending, together all of them
  std::vector<Cut> ranges;                // blocks of calibrate, merge and quantize tasks
  std::vector<Cut> curvature;             // of the profile windows: of reference[profile] and curvature tasks
  std::vector<EvaluationCut> evaluation;  // of reference and evaluate tasks, text after text
  int profile_windows = 0;                // calibration windows for curvature and checks, evenly spread over the text:
  int profile_stride = 1;                 // every profile_stride-th
  std::vector<CheckCut> checks;           // units of check tasks, which measure on the windows of curvature[0]
};

// Units to measure, `count` of them, or all where there are fewer: spread evenly over depth, and over the kinds of
// units of a block in turn. Rising.
std::vector<int> CheckedUnits(const v1::ModelInfo& info, int count);

// `evaluation_windows`: of each evaluation text.
Cuts CutJob(const v1::ModelInfo& info, const v1::Recipe& recipe, int calibration_windows, int window,
            const std::vector<int>& evaluation_windows);
// Blocks of profile tasks, which are cut by a target besides, within those cuts.
std::vector<ProfileCut> CutProfiles(const Costs& costs, const Cuts& cuts);

// Number of calibration shards: the statistics of all shards and of their merge take at most the bytes of the tensors;
// no shard is smaller than kShardWindows (but the only one); at least 1, at most kMaxTokenShards.
int TokenShards(const v1::ModelInfo& info, int windows);

}  // namespace bitwright::server
