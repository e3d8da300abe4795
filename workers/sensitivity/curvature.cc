#include "workers/sensitivity/curvature.h"

#include <algorithm>
#include <optional>

#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

// Sums of squares of the gradients of one block's units, on the device.
class BlockSquares {
 public:
  BlockSquares(const BlockProgram& program, Device& device)
      : program_(program), device_(device), factors_(program.units.size(), 1) {
    for (const UnitSpec& unit : program.units) {
      device.Fill(0, sums_.emplace_back(device, DType::kF32, 1, unit.out()).view());
    }
  }

  void Add(const LinearGradient& linear) {
    const size_t unit = static_cast<size_t>(linear.matrix);
    if (unit >= sums_.size()) return;  // of a matrix that is kept as it is
    const int64_t out = linear.gradient.columns;
    const Matrix& sums = sums_[unit].view();
    device_.AddSquares(linear.gradient, sums.Columns(linear.expert * out, out));
    factors_[unit] = double{linear.factor} * linear.factor;
  }

  // Divided by the number of tokens.
  std::vector<UnitCurvature> Finish(int64_t tokens) {
    std::vector<UnitCurvature> units;
    for (size_t u = 0; u < sums_.size(); ++u) {
      UnitCurvature& unit = units.emplace_back(UnitCurvature{program_.units[u].name, {}});
      unit.rows.resize(static_cast<size_t>(sums_[u].view().columns));
      device_.Read(sums_[u].view(), unit.rows);
      for (float& row : unit.rows) row = static_cast<float>(factors_[u] * row / static_cast<double>(tokens));
    }
    return units;
  }

 private:
  const BlockProgram program_;
  Device& device_;
  std::vector<DeviceMatrix> sums_;  // [1, out] of each unit
  std::vector<double> factors_;     // of each unit's gradients, squared
};

}  // namespace

absl::StatusOr<CurvatureResult> RunCurvature(BlockRunner& runner, std::span<const int32_t> ids, GradientOptions options,
                                             const std::function<void(double)>& progress) {
  std::map<int64_t, BlockSquares> blocks;
  const auto taps = [&](int64_t block, const BlockWeights& weights) {
    BlockSquares& squares = blocks.try_emplace(block, weights.program, runner.device()).first->second;
    GradientTaps of_block;
    of_block.linear = [&squares](const LinearGradient& linear) { squares.Add(linear); };
    return of_block;
  };
  const int64_t layers = runner.model().config().layers;
  const bool first = options.begin == 0, last = options.end < 0 || options.end == layers;
  std::optional<HeadCurvature> head;
  if (last) options.logits = head.emplace(runner).Tap();
  ABSL_ASSIGN_OR_RETURN(GradientResult gradients, RunGradients(runner, ids, std::move(options), taps, progress));
  CurvatureResult result;
  result.entering = std::move(gradients.entering);
  if (head) head->Finish(result.ends);
  if (first) result.ends.embedding = EmbeddingCurvature(runner, result.entering.view());
  for (auto& [block, squares] : blocks) {
    for (UnitCurvature& unit : squares.Finish(static_cast<int64_t>(ids.size()))) {
      result.units.push_back(std::move(unit));
    }
  }
  return result;
}

}  // namespace bitwright::worker
