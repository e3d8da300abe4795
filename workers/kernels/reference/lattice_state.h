#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workers/kernels/reference/lattice_rounding.h"
#include "workers/kernels/reference/lattice_row.h"
#include "workers/kernels/reference/rounding_error.h"

namespace bitwright::worker {

// Points by feedback through both factors (lattice_rounding.h), with the scales that `codes` holds.
void FeedBack(const GridProblem& problem, const Lattice& lattice, LatticeCodes& codes);

// A matrix on its lattice with R = G E H, which says of every change what it does to J.
class LatticeState {
 public:
  LatticeState(const GridProblem& problem, const Lattice& lattice, LatticeCodes& codes);

  double J() const { return error_.J(); }
  void Sweep();        // once over all groups, columns in order
  void RefitScales();  // of the super-blocks

 private:
  struct Trial {
    std::vector<std::optional<Octet>> octets;  // of the group; nothing: it stays as it is
    std::vector<double> values;
    double gain = 0;  // what J falls by
  };
  void SweepGroup(int64_t row, int64_t group, const std::vector<OctetForm>& forms);
  Trial ChooseOctets(int64_t row, int64_t group, const std::vector<OctetForm>& forms, float scale, bool held) const;

  const GridProblem& problem_;
  const Lattice& lattice_;
  LatticeCodes& codes_;
  RoundingError error_;
};

}  // namespace bitwright::worker
