#pragma once

#include <cstdint>
#include <vector>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "server/jobs/cuts.h"

namespace bitwright::server {

// Estimates of floating-point operations of one task, from sizes alone; live_set.h is about its memory. With
//   r rows (windows · window), w window, h hidden, f intermediate, V vocabulary, P weights of the largest block,
//   S statistics bytes of all blocks, L blocks:
// forward of one block     F(r) = 2·r·P + 2·r·w·h            (products, causal attention)
// head                     D(r) = 2·r·h·V
// second moments, 1 block  r·S/L                             (n² = S/2 elements of each packed triangle, 2 per product)
// GPTQ of [out, in]        out·in²                           (error feedback per format)
// factor of an input       in³/3                             (Cholesky)
// RTN of [out, in]         64·out·in + 2·out·in²             (clip search, loss of the result)
// A target says how many times that rounding to one of its formats takes, for the result and where only what it costs
// is asked for.
class Costs {
 public:
  // Keeps references to info, its target and the recipe.
  Costs(const v1::ModelInfo& info, const v1::TargetInfo& target, const v1::Recipe& recipe, int window);

  double ReferenceFlops(Cut blocks, int windows) const;                   // blocks·F
  double CalibrateFlops(Cut blocks, int windows, bool factorizes) const;  // blocks·(F + r·S/L), and factors
  double MergeFlops(Cut blocks, int shards) const;                        // shards · elements, and for GPTQ factors
  // Once forward, and back with all of it once more: 4·blocks·F; behind the last block the head, thrice.
  double CurvatureFlops(Cut blocks, int windows) const;
  double ProfileFlops(Cut blocks) const;  // rounding to every format for every unit
  // Of formats that are no target's. Rounding of the units, and for each of (1 + checked widths) formats a pass from
  // the unit's block to the head; one pass from the first of the blocks to the last unit.
  double CheckFlops(Cut blocks, const std::vector<int>& units, int windows) const;
  // At most one rounding of every linear for each plan.
  double QuantizeFlops(Cut blocks, int plans) const;
  // Of embedding and head: rows that are looked at, priced or rounded.
  double ProfileEndsFlops() const;
  double QuantizeEndsFlops(int plans) const;
  double EvaluateFlops(int windows) const;  // L·F + 2·D, and unpacking: L·P
  // Of sequences of a window of their own.
  double ScoreFlops(int sequences, int window) const;
  // Of so many tokens, each at the end of one pass over a window.
  double SampleFlops(int tokens, int window) const;

  int Measurements() const { return 1 + recipe_.sensitivity().checked_bits_size(); }  // of a checked unit

 private:
  double Rows(int windows) const { return static_cast<double>(windows) * window_; }
  double Forward(double rows) const;
  double Head(double rows) const;
  double Rounding(const v1::UnitInfo& unit, int formats) const;
  double FactorFlops(Cut blocks) const;

  const v1::ModelInfo& info_;
  const v1::TargetInfo& target_;
  const v1::Recipe& recipe_;
  int window_;
  std::vector<double> rounding_;  // per block, every format
};

}  // namespace bitwright::server
