#pragma once

#include "workers/kernels/cuda/cuda_part.h"
#include "workers/kernels/cuda/lattice_rows.h"
#include "workers/kernels/lattice.h"

namespace bitwright::worker::cuda {

// A lattice and what of a factor all rows need on it, on a card.
struct CudaLattice {
  // of_columns: of the same H as the factor, in the order of its columns. All outlive this.
  CudaLattice(const Context& context, const CudaFactor& factor, const CudaFactor& of_columns, const Lattice& of);

  const Lattice& lattice;
  const CudaFactor& in_order;
  Array<uint8_t> numbers;
  Array<OctetForms> swept;  // [inputs / 8] H'_JJ
  Array<OctetForms> fed;    // [inputs / 8] M_JJ D_J M_JJᵀ
};

// Rows of one linear on their way through RoundOnLattice.
class CudaLatticePart : CudaPart {
 public:
  // weights [rows, inputs]; all outlive this.
  CudaLatticePart(const Context& context, const CudaFactor& factor, const Matrix& weights, const CudaLattice& lattice);

  void Round(const GridSteps& steps);
  // Rows [first, first + rows) of the result.
  void Read(int64_t first, LatticeRounded& to) const;

 private:
  void FeedBackWhereBetter();
  void Sweep();
  void Refit();
  void FromScales();  // values of the codes that stand, and what follows

  const CudaLattice& on_;
  const Array<uint16_t> points_;
  const Array<uint8_t> signs_;
  const Array<float> supers_, sub_scales_, scale_;
  LatticeRows state_;
};

}  // namespace bitwright::worker::cuda
