#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/model/gradient_run.h"
#include "workers/sensitivity/end_curvature.h"

namespace bitwright::worker {

// What the way back tells of one unit: the diagonal of G = (1/n) Σ g gᵀ over all n tokens, g the gradient of
// −log p(ŷ) with respect to the outputs of the unit's linears, ŷ drawn from the model: [Σ out of the linears].
//
// Of an expert, g is 0 at tokens that went elsewhere. With H over the tokens that reached it, ½ · tr(G ΔW H ΔWᵀ) is
// then nats per token of the whole text, however many these were (Kronecker-factored curvature: Martens and Grosse,
// arXiv 1503.05671, section 3).
//
// Only the diagonal is kept: over all units of models/sample at 2, 3 and 4 bits it ranks measured losses as well as all
// of G does (Spearman 0.993 and 0.994), it needs no product beside those of the rounding, whose recursion gives the
// loss of every row, and it is out numbers in place of out².
struct UnitCurvature {
  std::string unit;
  std::vector<float> rows;
};

struct CurvatureResult {
  std::vector<UnitCurvature> units;  // of the blocks, in order
  DeviceMatrix entering;             // as GradientResult::entering
  EndCurvature ends;                 // of those ends that lie at these blocks
};

// Once forward and back through the blocks that `options` names, over windows of ids. Errors of RunGradients.
absl::StatusOr<CurvatureResult> RunCurvature(BlockRunner& runner, std::span<const int32_t> ids, GradientOptions options,
                                             const std::function<void(double)>& progress);

}  // namespace bitwright::worker
