#pragma once

#include <cstdint>
#include <vector>

#include "workers/kernels/reference/grid_rounding.h"
#include "workers/kernels/reference/grid_row.h"

namespace bitwright::worker {

// A matrix on its grid with R = G E H, which says of every change what it does to J.
class GridState {
 public:
  GridState(const GridProblem& problem, const Grid& grid, GridCodes& codes);

  double J() const;    // from E and R
  void Sweep();        // once over all groups, columns in order
  void RefitScales();  // of the first level

 private:
  struct Trial {
    std::vector<uint8_t> codes;
    double gain = 0;  // what J falls by
  };
  void SweepGroup(int64_t row, int64_t group);
  Trial ChooseCodes(int64_t row, int64_t group, GroupScale scale) const;
  // Replaces the values of a row's columns from `begin` on, and follows with E and R.
  void Replace(int64_t row, int64_t begin, std::span<const double> values);
  // G applied to `a` [rows, columns] from the left, H from the right.
  std::vector<double> Both(const std::vector<double>& a) const;
  double G(int64_t i, int64_t k) const {
    if (problem_.gradient_moment.empty()) return i == k ? 1 : 0;
    return problem_.gradient_moment[static_cast<size_t>(i * problem_.rows + k)];
  }
  const double* H(int64_t j) const { return &problem_.moment[static_cast<size_t>(j * problem_.columns)]; }

  const GridProblem& problem_;
  const Grid& grid_;
  GridCodes& codes_;
  std::vector<double> values_, r_;  // [rows, columns] Q and R
};

}  // namespace bitwright::worker
