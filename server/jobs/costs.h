#pragma once

#include <cstdint>
#include <vector>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "server/jobs/cuts.h"

namespace bitwright::server {

// Estimates of floating-point operations and memory of one task, from sizes alone. With
//   r rows (windows · window), w window, h hidden, f intermediate, V vocabulary, P weights of the largest block,
//   S statistics bytes of all blocks, L blocks:
// forward of one block     F(r) = 2·r·P + 2·r·w·h            (products, causal attention)
// head                     D(r) = 2·r·h·V
// second moments, 1 block  r·S/L                             (n² = S/2 elements of each packed triangle, 2 per product)
// GPTQ of [out, in]        out·in² + in³/3                   (error feedback per format, one Cholesky)
// RTN of [out, in]         64·out·in + 2·out·in²             (clip search, loss of the result)
// Memory of every kind is at most 2 blocks in f32 + activations + 1 GiB, of which
//   stream(r) = 4·r·h,   piece = 16·4·w·(8·h + 3·f)          (at most 16 windows are in flight)
class Costs {
 public:
  // Keeps references to info and recipe.
  Costs(const v1::ModelInfo& info, const v1::Recipe& recipe, int window);

  double ReferenceFlops(Cut blocks, int windows) const;  // blocks·F
  double CalibrateFlops(Cut blocks, int windows) const;  // blocks·(F + r·S/L)
  double MergeFlops(Cut blocks, int shards) const;       // shards · elements
  // Once forward, and back with all of it once more: 4·blocks·F; behind the last block the head, thrice.
  double CurvatureFlops(Cut blocks, int windows) const;
  double ProfileFlops(Cut blocks) const;  // rounding to every format for every unit
  // Rounding of the units, and for each of (1 + checked widths) formats a pass from the unit's block to the head; one
  // pass from the first of the blocks to the last unit.
  double CheckFlops(Cut blocks, const std::vector<int>& units, int windows) const;
  double QuantizeFlops(Cut blocks) const;   // one rounding of every linear
  double EvaluateFlops(int windows) const;  // L·F + 2·D, and unpacking: L·P

  int64_t ReferenceBytes(int windows) const;  // 2 blocks + 2·stream + piece
  int64_t CalibrateBytes(int windows) const;  // 2 blocks + 2·stream + piece + 3 moments of a block
  int64_t MergeBytes() const;                 // 3 moments of a block
  // 2 blocks, 4 streams and those that are kept for the way back (of every block where they take at most 1 GiB, else of
  // about 2·√blocks), 4 pieces, a tile of logits.
  int64_t CurvatureBytes(Cut blocks, int windows) const;
  int64_t ProfileBytes() const;                                                // as quantize
  int64_t CheckStreamBytes(const std::vector<int>& units, int windows) const;  // a stream of each measurement
  // 2 blocks + 3·stream + streams of measurements + piece + 6 moments of a block + two tiles of logits
  int64_t CheckBytes(const std::vector<int>& units, int windows) const;
  int64_t QuantizeBytes() const;             // 2 blocks + 6 moments of a block (f64 factor)
  int64_t EvaluateBytes(int windows) const;  // as reference, and two tiles of logits
  static int64_t SmallBytes();               // 1 GiB: tasks that hold no block

 private:
  double Rows(int windows) const { return static_cast<double>(windows) * window_; }
  double Forward(double rows) const;
  double Head(double rows) const;
  double Rounding(const v1::UnitInfo& unit, int formats) const;
  int Measurements() const { return 1 + recipe_.sensitivity().checked_bits_size(); }  // of a checked unit
  double Stream(int windows) const { return 4 * Rows(windows) * info_.hidden_size(); }
  double LogitTiles() const;
  double Live(double streams, int windows, int64_t moments, int64_t pieces = 1) const;

  const v1::ModelInfo& info_;
  const v1::Recipe& recipe_;
  int window_;
  std::vector<double> rounding_;  // per block, every format
};

}  // namespace bitwright::server
