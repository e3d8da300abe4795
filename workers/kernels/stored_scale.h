#pragma once

#include "workers/kernels/grid.h"

namespace bitwright::worker {

// That of scales in a model's dtype: F32, F16 or BF16.
ScaleType ScaleTypeOf(DType type);

// The number of `type` nearest to a scale; of E8M0 by its logarithm.
float StoredScale(ScaleType type, double scale);
// What a grid stores for a scale, as consumers multiply it.
float StoredScale(const Grid& grid, double scale);

}  // namespace bitwright::worker
