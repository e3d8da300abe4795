#pragma once

#include <functional>

#include "workers/tensor/buffer.h"

namespace bitwright::worker {

// x [unknowns, 64] of A x = b, each lane by itself, from x = 0 by a dozen steps of conjugate gradients; apply(x, to)
// writes A x, which is positive semidefinite. b is used up.
Buffer<float> SolveLanes(Buffer<float>& b, const std::function<void(const float* x, float* to)>& apply);

}  // namespace bitwright::worker
