#include "workers/model/window_runner.h"

namespace bitwright::worker {

WindowRunner::WindowRunner(const Model& model, int64_t window, Compute compute, ThreadPool& pool)
    : model_(model), decoder_(model.config(), window, compute), pool_(pool) {
  for (int slot = 0; slot < pool.threads(); ++slot) scratch_.emplace_back(decoder_);
}

void WindowRunner::Embed(std::span<const int32_t> ids, float* x) const {
  const int64_t window = decoder_.window();
  pool_.ParallelFor(static_cast<int64_t>(ids.size()) / window, [&](int64_t w, int) {
    model_.Embed(ids.subspan(static_cast<size_t>(w * window), static_cast<size_t>(window)), x + w * WindowElements());
  });
}

void WindowRunner::RunBlock(const BlockWeights& block, int64_t windows, float* x, const WindowTap& tap) {
  pool_.ParallelFor(windows, [&](int64_t w, int slot) {
    TapFn window_tap;
    if (tap) {
      window_tap = [&, w](TapPoint point, const float* rows, int64_t, int64_t n, int64_t stride) {
        tap(w, point, rows, n, stride);
      };
    }
    decoder_.RunBlock(block, x + w * WindowElements(), scratch_[static_cast<size_t>(slot)], window_tap);
  });
}

void WindowRunner::RunBlock(const BlockWeights& block, int64_t windows, std::span<float* const> x) {
  pool_.ParallelFor(windows * static_cast<int64_t>(x.size()), [&](int64_t piece, int slot) {
    decoder_.RunBlock(block, x[static_cast<size_t>(piece / windows)] + piece % windows * WindowElements(),
                      scratch_[static_cast<size_t>(slot)]);
  });
}

void WindowRunner::FinalNorm(int64_t windows, float* x) {
  const Buffer<float> weight = model_.FinalNorm();
  pool_.ParallelFor(windows, [&](int64_t w, int) {
    decoder_.FinalNorm(weight.data(), x + w * WindowElements(), x + w * WindowElements());
  });
}

}  // namespace bitwright::worker
