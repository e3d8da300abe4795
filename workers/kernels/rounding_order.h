#pragma once

#include "workers/kernels/grid.h"

namespace bitwright::worker {

// What follows the start of rounding on a grid or a lattice, in order, as far as `steps` asks for it: feedback, sweeps,
// re-fit and sweeps again.
template <typename FeedBack, typename Sweep, typename Refit>
void InOrderOfSteps(const GridSteps& steps, const FeedBack& feed_back, const Sweep& sweep, const Refit& refit) {
  if (steps.feedback) feed_back();
  for (int k = 0; k < steps.sweeps; ++k) sweep();
  if (!steps.refit) return;
  refit();
  for (int k = 0; k < steps.sweeps_after; ++k) sweep();
}

}  // namespace bitwright::worker
