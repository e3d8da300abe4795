#pragma once

#include <cstdint>
#include <vector>

#include "workers/kernels/reference/grid_rounding.h"
#include "workers/kernels/reference/grid_row.h"
#include "workers/kernels/reference/rounding_error.h"

namespace bitwright::worker {

// A matrix on its grid with R = G E H, which says of every change what it does to J.
class GridState {
 public:
  GridState(const GridProblem& problem, const Grid& grid, GridCodes& codes);

  double J() const { return error_.J(); }
  void Sweep();        // once over all groups, columns in order
  void RefitScales();  // of the first level

 private:
  struct Trial {
    std::vector<uint8_t> codes;
    double gain = 0;  // what J falls by
  };
  void SweepGroup(int64_t row, int64_t group);
  Trial ChooseCodes(int64_t row, int64_t group, GroupScale scale) const;

  const GridProblem& problem_;
  const Grid& grid_;
  GridCodes& codes_;
  RoundingError error_;
};

}  // namespace bitwright::worker
