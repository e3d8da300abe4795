#pragma once

#include <array>
#include <cstdint>

#include "workers/kernels/lattice.h"
#include "workers/kernels/reference/lattice_octet.h"

namespace bitwright::worker {

// What a row of LatticeCodes holds, to be read and changed octet by octet.
class LatticeCodesRow {
 public:
  LatticeCodesRow(LatticeCodes& codes, const Lattice& lattice, int64_t columns, int64_t row)
      : codes_(codes), lattice_(lattice), columns_(columns), row_(row) {}

  size_t ScaleIndex(int64_t group) const {
    return static_cast<size_t>(row_ * lattice_.supers(columns_) + group * lattice_.group / lattice_.super);
  }
  float& super_scale(int64_t group) { return codes_.scales[ScaleIndex(group)]; }
  uint8_t& sub_scale(int64_t group) {
    return codes_.sub_scales[static_cast<size_t>(row_ * lattice_.groups(columns_) + group)];
  }
  // As multiplied out: f32, as consumers have it.
  float Scale(int64_t group, int s) { return super_scale(group) * lattice_.Multiple(s); }
  float Scale(int64_t group) { return Scale(group, sub_scale(group)); }

  void Store(int64_t index, const Octet& octet) {
    const int64_t at = row_ * columns_ / 8 + index, points = 8 / lattice_.size;
    codes_.signs[static_cast<size_t>(at)] = octet.signs;
    for (int64_t p = 0; p < points; ++p) {
      codes_.points[static_cast<size_t>(at * points + p)] = octet.points[static_cast<size_t>(p)];
    }
  }
  // Of column j, with its sign.
  double Number(int64_t j) const {
    const int64_t at = row_ * columns_ + j;
    const uint16_t point = codes_.points[static_cast<size_t>(at / lattice_.size)];
    const bool minus = (codes_.signs[static_cast<size_t>(at / 8)] >> (at % 8) & 1) != 0;
    return (minus ? -1.0 : 1.0) * lattice_.Point(point)[at % lattice_.size];
  }

 private:
  LatticeCodes& codes_;
  const Lattice& lattice_;
  int64_t columns_, row_;
};

}  // namespace bitwright::worker
