#pragma once

#include <cstdint>
#include <vector>

#include "workers/kernels/lattice.h"
#include "workers/kernels/octet_form.h"

// Loops over octets of columns of 64 rows side by side, for rounding on lattices. As in row_lanes.h: arrays are
// [columns, 64] or [64], a lane is a row, and no sum crosses lanes.
namespace bitwright::worker {

// A lattice's points as lanes search them. The cost of a point is a quadratic form of its numbers: a part of the first
// half of them, a part of the second half, and one of both, which is linear in the second half when the first stands.
// So points that begin alike stand together, and what depends on a half alone is computed once for all its points.
struct LaneLattice {
  static constexpr int kMostHalves = 81;  // three numbers in four columns; eight in two are fewer

  explicit LaneLattice(const Lattice& lattice);

  struct Half {
    float numbers[4];
  };
  struct Run {
    Half first;
    int begin, end;  // points
  };
  int64_t size;
  bool even_signs;
  std::vector<Run> runs;
  std::vector<Half> seconds;    // each once
  std::vector<int> second_of;   // [points] in the order of runs
  std::vector<float> index_of;  // [points] in the order of runs, index in the lattice
  std::vector<float> numbers;   // [points, size] in the order of the lattice
};

// OctetForm in f32.
struct LaneForm {
  LaneForm() = default;
  explicit LaneForm(const OctetForm& form);

  float s[64], inverse[64], relaxed[16];
};

// Eight columns of 64 rows.
struct LaneOctets {
  alignas(64) float numbers[8 * 64];  // with their signs, counted in scales
  alignas(64) uint16_t points[2 * 64];
  alignas(64) uint8_t signs[64];
};

// to [64] = 1 / scale; 0 where the scale is 0.
void InvertScales(const float* scale, float* to);

// NearestOctet of the reference for w · inverse [8, 64], inverse [64] of the scales; h [8].
void NearestOctets(const LaneLattice& lattice, const float* w, const float* h, const float* inverse, LaneOctets& to);

// ChooseOctet of the reference for z · inverse.
void ChooseOctets(const LaneLattice& lattice, const LaneForm& form, const float* z, const float* inverse,
                  LaneOctets& to);

// One octet of a sweep.
struct OctetTrial {
  const float* held;     // [8, 64] values as they are
  const float* rest;     // [8, 64] of E H
  const float* scale;    // [64]
  const float* inverse;  // [64] of scale
  const float*
      standing;        // [64] 1: the lane's scale is the one that it has, and where J would rise the octet stays; or 0
  float* values;       // out: [8, 64]
  float* delta;        // out: [8, 64] values less held
  float* gain;         // [64] adds what J falls by
  LaneOctets* octets;  // out
  uint8_t* stays;      // out: [64] 1: the octet stays, what `octets` holds is void
};
void TryOctets(const LaneLattice& lattice, const LaneForm& form, const OctetTrial& trial);

}  // namespace bitwright::worker
