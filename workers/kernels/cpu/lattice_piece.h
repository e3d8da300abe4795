#pragma once

#include <cstdint>

#include "workers/kernels/cpu/cpu_factor.h"
#include "workers/kernels/cpu/lane_lattice.h"
#include "workers/kernels/cpu/lane_piece.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {

// 64 rows of one linear on their way through RoundOnLattice. Scratch of one thread; arrays are [in, 64] unless stated.
class LatticePiece : LanePiece {
 public:
  // factor: with its moment; in_order: of the same H in the order of its columns; lanes: of the lattice. All outlive
  // this.
  LatticePiece(const CpuFactor& factor, const CpuFactor& in_order, const Lattice& lattice, const LaneLattice& lanes);

  void Round(const Matrix& weights, int64_t first, const GridSteps& steps);
  // Rows [first, first + 64) of the result.
  void Scatter(int64_t out, int64_t first, LatticeRounded& to) const;

 private:
  struct Group;
  struct Choice;

  void Start();
  void StartSuper(int64_t super);
  void SearchScale(int64_t group, float* best) const;
  // Σ h (w − q)² of a group at `scale` less what no choice changes, and the scale that fits best to what is chosen.
  void MeasureScale(int64_t group, const float* scale, float* error, float* fit) const;
  void FeedBack();
  void FeedBackWhereBetter();
  void Sweep();
  void TryScale(int64_t group, int change, const float* h, Choice& choice, Group& to) const;
  // Where the trial is better it is the best.
  void TakeBetter(Choice& choice) const;
  void SweepGroup(int64_t group, const float* h, Choice& choice, float* delta);
  void Refit();

  void MultiplyScales();
  void StoreOctets(int64_t octet, const LaneOctets& from, const float* scale);
  void ValuesFromCodes();
  // x [supers, 64] = Σ of q over a super-block's columns, each times its value at a super-scale of 1.
  void Gather(const float* units, const float* q, float* x) const;
  int64_t points() const { return 8 / lattice_.size; }  // of an octet

  const CpuFactor& in_order_;
  const Lattice& lattice_;
  const LaneLattice& lanes_;
  Buffer<uint16_t> points_;  // [in / size, 64]
  Buffer<uint8_t> signs_;    // [in / 8, 64]
  Buffer<float> supers_;     // [supers, 64]
  Buffer<float> subs_;       // [groups, 64] small integers
  Buffer<float> scale_;      // [groups, 64] multiplied out
};

}  // namespace bitwright::worker
