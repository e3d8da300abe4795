#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/formats/codebook_format.h"

namespace bitwright::worker {

// One-dimensional k-means to its optimum: at most `k` centroids, rising, of least Σ weight · (point − nearest
// centroid)². Points rise, weights are not negative; fewer centroids where fewer points have a weight. Clusters of
// numbers on a line are runs of neighbours, so that dynamic programming finds the best cut (Wang and Song,
// Ckmeans.1d.dp, 2011); where a best cut begins never falls with where it ends, so that O(k n log n) steps do.
std::vector<double> WeightedKMeans(std::span<const double> points, std::span<const double> weights, size_t k);

// The table of a k-means format for weights [out, in], in f32, rising. `scales`: AbsMaxScales of them; diagonal [in]
// of H. What lies in one of 4096 equal parts of [−1, 1] counts as its mean. Values that no weight takes stand behind
// the others.
std::vector<float> KMeansTable(CodebookFormat format, std::span<const float> weights, std::span<const float> scales,
                               std::span<const float> diagonal);

}  // namespace bitwright::worker
