#pragma once

#include <memory>

#include "workers/kernels/rounding.h"

namespace bitwright::worker {

// Of the reference device: plain loops with f64 sums, a row at a time.
std::unique_ptr<Rounding> MakeReferenceRounding();

}  // namespace bitwright::worker
