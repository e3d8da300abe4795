#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "workers/model/value_plan.h"
#include "workers/model/weights.h"

namespace bitwright::worker {

// A value of a program that has just been written, for as long as the call lasts: it may be read, kept elsewhere,
// replaced or disturbed, by operations on the same device. Of the rows of experts: those of one expert.
struct WrittenValue {
  int value = 0;       // of BlockProgram::values
  int64_t expert = 0;  // 0 where the value belongs to no expert
  Matrix data;         // [tokens, columns]
};
using ValueTap = std::function<void(const WrittenValue& written)>;

// A gradient that is complete, for as long as the call lasts.
struct ValueGradient {
  int value = 0;       // of BlockProgram::values
  int64_t expert = 0;  // as in WrittenValue
  Matrix data;         // [tokens, columns], as it was read
  Matrix gradient;     // of the same shape
};
// Of a product out = factor · (input Wᵀ + bias): the gradient with respect to input Wᵀ + bias is factor · gradient.
struct LinearGradient {
  int matrix = 0;  // of BlockWeights::matrices
  int64_t expert = 0;
  Matrix input;     // [tokens, in]
  Matrix gradient;  // [tokens, out]
  float factor = 1;
};
struct NormGradient {
  int norm = 0;  // of BlockProgram::norms
  Heads input;
  Heads gradient;  // with respect to what the norm writes
};
struct GradientTaps {
  std::function<void(const ValueGradient&)> value;
  std::function<void(const LinearGradient&)> linear;
  std::function<void(const NormGradient&)> norm;
};

// Runs block programs forward and backward over windows of `window` tokens. Windows are taken in chunks that depend on
// the shapes alone; the device cuts the work of a chunk. Not thread-safe.
class BlockRunner {
 public:
  // `model` and `device` must outlive the object.
  BlockRunner(const Model& model, int64_t window, Compute compute, Device& device);

  const Model& model() const { return model_; }
  Device& device() const { return device_; }
  int64_t window() const { return window_; }
  Compute compute() const { return compute_; }

  // A residual stream [windows · window, hidden].
  DeviceMatrix NewStream(int64_t windows) const {
    return DeviceMatrix(device_, DType::kF32, windows * window_, model_.config().hidden);
  }
  // Of ids [windows · window], as it enters the first block. `tokens` as of Model::Embed.
  DeviceMatrix Embed(std::span<const int32_t> ids, const TableSource* tokens = nullptr) const;

  absl::StatusOr<BlockWeights> LoadBlock(int64_t block, const UnitSource& source = nullptr) const {
    return model_.LoadBlock(block, compute_, device_, source);
  }

  // Gives back what passes leave for the next one.
  void GiveBack() { slots_.clear(); }

  // x [windows · window, hidden] passes through the block in place.
  void Run(const BlockWeights& block, const Matrix& x, const ValueTap& tap = nullptr);

  // Loads blocks [begin, end) one after the other, and x passes through each. `progress` is called with the number of
  // those that x has passed. Errors of LoadBlock.
  absl::Status RunBlocks(int64_t begin, int64_t end, const Matrix& x, const UnitSource& source = nullptr,
                         const std::function<void(int64_t passed)>& progress = nullptr);

  // Backwards through the block, whose weights are f32: x [windows · window, hidden] is the stream that enters it; d,
  // of the same shape, the gradient of a loss with respect to the stream that leaves it, becomes that with respect to
  // x.
  void RunBack(const BlockWeights& block, const Matrix& x, const Matrix& d, const GradientTaps& taps = {});

 private:
  enum class Way { kForward, kBackward };
  // Slots of the other way are given back.
  void UseSlots(Way way);
  // Slot `index`, with memory for at least [rows, columns].
  Matrix Slot(size_t index, int64_t rows, int64_t columns);

  const Model& model_;
  const int64_t window_;
  const Compute compute_;
  Device& device_;
  std::vector<RotaryParts> ropes_;
  std::vector<DeviceMatrix> tables_;
  Way way_ = Way::kForward;
  std::vector<DeviceMatrix> slots_;  // grown as needed, kept from block to block
};

}  // namespace bitwright::worker
