#pragma once

#include <span>

#include "workers/kernels/lattice.h"

namespace bitwright::worker {

// Small lattices of each kind that formats have: points of eight and of four columns, signs that are even and free,
// scales of 16 and of 32 columns. They live as long as the program.
std::span<const Lattice> SampleLattices();

}  // namespace bitwright::worker
