#pragma once

#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/model/ends.h"
#include "workers/sensitivity/end_curvature.h"
#include "workers/sensitivity/profile.h"

namespace bitwright::worker {

// By which metric the rows of an end are rounded: an embedding by G, a head by H (end_curvature.h), a tied one by their
// sum, each times what its rows have on average. Errors of EndFiles.
absl::StatusOr<InputStatistics> EndMoment(const EndUnit& end, const EndFiles& files, const ModelConfig& config);

// What every format costs an end: rounded as it would be quantized, and priced by the curvature. Of a large vocabulary
// kEndRows rows, evenly spread, stand for all, by their share of the weights. `ids`: of the calibration text, for the
// frequencies of tokens; those that never come count as half a token. Live at a time: those rows and one factorization.
absl::StatusOr<std::vector<UnitProfile>> ProfileEnds(const Model& model, Device& device, const EndFiles& files,
                                                     std::span<const int32_t> ids, const ProfileOptions& options,
                                                     const std::function<void(double)>& progress);

}  // namespace bitwright::worker
