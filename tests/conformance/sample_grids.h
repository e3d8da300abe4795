#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workers/kernels/grid.h"

namespace bitwright::worker {

struct SampleGrid {
  std::string name;
  Grid grid;
};

// One of each kind that formats have; `super` columns where there are two levels. They live as long as the program.
std::vector<SampleGrid> SampleGrids(int64_t super);

// [rows, groups] scales for grids that are given them, at which the largest weight of the group [rows, columns] has the
// largest value; none for others.
std::vector<float> GivenScales(const Grid& grid, std::span<const float> weights);

}  // namespace bitwright::worker
