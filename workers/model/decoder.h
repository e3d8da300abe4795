#pragma once

#include <functional>
#include <memory>

#include "workers/model/rope.h"
#include "workers/model/weights.h"

namespace bitwright::worker {

// Receives the input rows of a unit: x is [rows, n] with rows `stride` elements apart, valid during the call only.
using TapFn = std::function<void(TapPoint point, const float* x, int64_t rows, int64_t n, int64_t stride)>;

// The arithmetic of one decoder block on one window of tokens (positions 0 … window − 1), causal attention, f32
// activations. Serial: callers run windows in parallel. Thread-safe; each thread brings its own Scratch.
class Decoder {
 public:
  Decoder(const ModelConfig& config, int64_t window, Compute compute);

  int64_t window() const { return window_; }
  int64_t hidden() const { return config_.hidden; }
  Compute compute() const { return compute_; }

  // Memory that a block needs for one window, reused between calls.
  class Scratch {
   public:
    Scratch() = default;
    explicit Scratch(const Decoder& decoder);

   private:
    friend class Decoder;
    Buffer<float> normed;     // [window, hidden]
    Buffer<float> qkv;        // [window, (heads + 2 kv_heads) · head_dim]
    Buffer<float> attention;  // [window, heads · head_dim]
    Buffer<float> scores;     // [query tile, window]
    Buffer<float> gate_up;    // [window, 2 · intermediate]
    Buffer<uint16_t> narrow;  // bf16 copy of a product's input
    Buffer<float> product;    // [window, hidden], a bf16 product before it is added
  };

  // x [window, hidden] is the residual stream: in, and out.
  void RunBlock(const BlockWeights& block, float* x, Scratch& scratch, const TapFn& tap = nullptr) const;

  // out = RMS norm of x with the model's final norm; x and out may be the same. [window, hidden]
  void FinalNorm(const float* weight, const float* x, float* out) const;

 private:
  void Attend(int64_t window_limit, Scratch& scratch) const;
  // out[rows, unit.out] = x unit.weightᵀ + bias, or += when `add`.
  void Product(const UnitWeights& unit, const float* x, int64_t stride, bool add, float* out, Scratch& scratch) const;

  ModelConfig config_;
  int64_t window_;
  Compute compute_;
  RopeTable rope_;
};

}  // namespace bitwright::worker
