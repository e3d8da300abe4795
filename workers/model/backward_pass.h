#pragma once

#include <vector>

#include "workers/model/block_pass.h"

namespace bitwright::worker {

// One chunk of windows on its way back through a block that a BlockPass has run forward, with memory of its own for
// every value. Operations are visited from the last to the first; a value's gradient is complete when the operation
// that wrote it is reached. Gradients begin at 0.
struct BackwardPass {
  const BlockPass& forward;
  const GradientTaps& taps;
  std::vector<Matrix> gradients;  // of each value

  void operator()(const NormOp& op) const;
  void operator()(const LinearOp& op) const;
  void operator()(const RotateOp& op) const;
  void operator()(const AttendOp& op) const;
  void operator()(const ActivateOp& op) const;
  void operator()(const AddOp& op) const;
  void operator()(const AddGatedOp& op) const;
  void operator()(const ExpertsOp& op) const;

  void Complete(int value) const;  // tells the tap

 private:
  Device& device() const { return forward.on; }
  const Matrix& Of(int value) const { return gradients[static_cast<size_t>(value)]; }
  Matrix Of(const Part& part) const { return part.value < 0 ? Matrix() : PartOf(Of(part.value), part); }
  Heads Of(const HeadsPart& part) const { return PartOf(Of(part.value), part); }
  void Linear(int matrix, int64_t expert, const Matrix& input, const Matrix& gradient, float factor,
              const Matrix& to) const;
  // Of one batch of an expert's tokens. Gives the gradients of its weights [tokens].
  std::vector<float> Expert(const ExpertsOp& op, int64_t expert, std::span<const int32_t> tokens,
                            std::span<const float> weights) const;
};

}  // namespace bitwright::worker
