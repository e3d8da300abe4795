#pragma once

#include <functional>
#include <span>
#include <vector>

#include "workers/model/decoder.h"

namespace bitwright::worker {

// Runs blocks over many windows: windows in parallel, each whole on one thread, so that the number of threads changes
// no bit. Activations are [windows, window, hidden] f32, in the caller's memory.
class WindowRunner {
 public:
  WindowRunner(const Model& model, int64_t window, Compute compute, ThreadPool& pool);

  // Embeds ids [windows · window].
  void Embed(std::span<const int32_t> ids, float* x) const;

  // x [windows, window, hidden] passes through the block in place. `tap` is called from many threads at once, for
  // different windows.
  using WindowTap = std::function<void(int64_t w, TapPoint point, const float* rows, int64_t n, int64_t stride)>;
  void RunBlock(const BlockWeights& block, int64_t windows, float* x, const WindowTap& tap = nullptr);

  // The same for several streams: each x[v] passes through the block.
  void RunBlock(const BlockWeights& block, int64_t windows, std::span<float* const> x);

  // The final norm, in place.
  void FinalNorm(int64_t windows, float* x);

  const Decoder& decoder() const { return decoder_; }
  const Model& model() const { return model_; }
  ThreadPool& pool() const { return pool_; }
  int64_t WindowElements() const { return decoder_.window() * decoder_.hidden(); }

 private:
  const Model& model_;
  Decoder decoder_;
  ThreadPool& pool_;
  std::vector<Decoder::Scratch> scratch_;
};

}  // namespace bitwright::worker
