#include "workers/kernels/lattice.h"

namespace bitwright::worker {

LatticeCodes::LatticeCodes(const Lattice& lattice, int64_t rows, int64_t columns)
    : points(static_cast<size_t>(rows * columns / lattice.size)),
      signs(static_cast<size_t>(rows * columns / Lattice::kSigns)),
      scales(static_cast<size_t>(rows * lattice.supers(columns))),
      sub_scales(static_cast<size_t>(rows * lattice.groups(columns))) {}

std::vector<float> ValuesOf(const LatticeCodes& codes, const Lattice& lattice, int64_t rows, int64_t columns) {
  std::vector<float> values;
  values.reserve(static_cast<size_t>(rows * columns));
  // All runs divide the row, so that rows need no counting.
  for (int64_t at = 0; at < rows * columns; ++at) {
    const float scale = codes.scales[static_cast<size_t>(at / lattice.super)] *
                        lattice.Multiple(codes.sub_scales[static_cast<size_t>(at / lattice.group)]);
    const uint8_t number =
        lattice.Point(codes.points[static_cast<size_t>(at / lattice.size)])[static_cast<size_t>(at % lattice.size)];
    const bool minus = (codes.signs[static_cast<size_t>(at / 8)] >> (at % 8) & 1) != 0;
    values.push_back(scale * static_cast<float>(number) * (minus ? -1.0f : 1.0f));
  }
  return values;
}

}  // namespace bitwright::worker
