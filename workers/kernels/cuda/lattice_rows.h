#pragma once

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// OctetForm (octet_form.h) in f32.
struct OctetForms {
  float s[64], inverse[64], relaxed[16];
};

// A lattice's points in a card's memory. The names are those of Lattice (lattice.h).
struct LatticePoints {
  const uint8_t* numbers;  // [count, size]
  int count, size;
  float most;  // the largest number
  bool even_signs;
};

// Rows of one linear on a lattice, likewise. The names are those of LatticeCodes.
struct LatticeRows {
  int64_t rows, columns, stride;
  int64_t group, super;
  int most_scale;
  float first_scale, scale_step;
  LatticePoints lattice;

  const float* w;     // [rows, stride], as q is
  float* q;           // values
  uint16_t* points;   // [rows, columns / size]
  uint8_t* signs;     // [rows, columns / 8]
  float* supers;      // [rows, columns / super]
  float* sub_scales;  // [rows, columns / group] small integers
  float* scale;       // likewise, multiplied out

#ifdef __CUDACC__
  __device__ float Multiple(float sub_scale) const { return first_scale + sub_scale * scale_step; }
#endif
};

cudaError_t MultiplyScales(const LatticeRows& rows, cudaStream_t stream);
// to [rows, stride] = values of the codes; zeros past the row's end.
cudaError_t ValuesOfCodes(const LatticeRows& rows, float* to, cudaStream_t stream);

// The re-fit of the super-scales while codes stand. units [rows, stride]: values at super-scales of 1; x [rows,
// supers]. to [rows, stride] = the values that x gives.
cudaError_t SpreadSupers(const LatticeRows& rows, const float* units, const float* x, float* to, cudaStream_t stream);
// The transpose of that, of `from` [rows, stride].
cudaError_t GatherSupers(const LatticeRows& rows, const float* units, const float* from, float* x, cudaStream_t stream);
// Adds `step` to the super-scales, and rounds them to f16.
cudaError_t MoveSupers(const LatticeRows& rows, const float* step, cudaStream_t stream);

// blocks [columns / 8, 8, 8]: the squares on the diagonal of m [·, stride].
cudaError_t DiagonalOctets(const float* m, int64_t stride, int64_t columns, float* blocks, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
