#include "workers/model/gradient_run.h"

#include <cmath>
#include <map>

#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

// The streams that enter blocks: every `step`-th is kept from the way forward; those of one run of `step` blocks are
// made again when the way back reaches it.
class Streams {
 public:
  Streams(BlockRunner& runner, DeviceMatrix embedded, int64_t most_bytes) : runner_(runner), x_(std::move(embedded)) {
    const int64_t layers = runner.model().config().layers;
    const int64_t bytes = x_.view().rows * x_.view().columns * static_cast<int64_t>(sizeof(float));
    const bool fits = bytes * layers <= most_bytes;
    step_ = fits ? 1 : static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(layers))));
  }

  // The stream before block b passes through the block. In order, b = 0, 1 ….
  void Forward(int64_t b, const BlockWeights& block) {
    if (b % step_ == 0) Keep(b);
    runner_.Run(block, x_.view());
  }
  // Behind the last block.
  const Matrix& last() const { return x_.view(); }

  // The stream that enters block b, on the way back: b falls by one from call to call.
  absl::StatusOr<Matrix> Entering(int64_t b) {
    if (!kept_.contains(b)) {
      const int64_t first = b / step_ * step_;
      runner_.device().Copy(kept_.at(first).view(), x_.view());
      for (int64_t before = first; before < b; ++before) {
        ABSL_ASSIGN_OR_RETURN(const BlockWeights block, runner_.LoadBlock(before));
        runner_.Run(block, x_.view());
        Keep(before + 1);
      }
    }
    kept_.erase(b + 1);
    return kept_.at(b).view();
  }

 private:
  void Keep(int64_t b) {
    const Matrix& x = x_.view();
    const auto [place, is_new] = kept_.try_emplace(b, runner_.device(), DType::kF32, x.rows, x.columns);
    runner_.device().Copy(x, place->second.view());
  }

  BlockRunner& runner_;
  DeviceMatrix x_;
  int64_t step_ = 1;
  std::map<int64_t, DeviceMatrix> kept_;  // block → the stream that enters it
};

}  // namespace

absl::StatusOr<GradientResult> RunGradients(BlockRunner& runner, std::span<const int32_t> ids,
                                            const GradientOptions& options, const BlockTaps& taps,
                                            const std::function<void(double)>& progress) {
  const int64_t layers = runner.model().config().layers;
  Device& device = runner.device();
  const auto report = [&](int64_t done) { progress(static_cast<double>(done) / static_cast<double>(2 * layers)); };
  Streams streams(runner, runner.Embed(ids), options.most_stream_bytes);
  for (int64_t b = 0; b < layers; ++b) {
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, runner.LoadBlock(b));
    streams.Forward(b, block);
    report(b + 1);
  }
  const Matrix& last = streams.last();
  const DeviceMatrix hidden(device, DType::kF32, last.rows, last.columns);
  device.Copy(last, hidden.view());
  runner.model().FinalNorm(device, hidden.view());

  const OutputHead head(runner);
  GradientResult result;
  result.labels = options.labels;
  if (result.labels.empty()) {
    std::vector<double> uniforms;
    for (size_t t = 0; t < ids.size(); ++t) uniforms.push_back(UniformAt(options.seed, t));
    result.labels.resize(ids.size());
    head.Sample(hidden.view(), uniforms, result.labels);
  }
  result.losses.resize(ids.size());
  result.embedded = DeviceMatrix(device, DType::kF32, last.rows, last.columns);
  const Matrix& d = result.embedded.view();
  head.LossBack(hidden.view(), result.labels, result.losses, d, options.logits);
  runner.model().FinalNormBack(device, last, d, options.final_norm);
  for (int64_t b = layers - 1; b >= 0; --b) {
    ABSL_ASSIGN_OR_RETURN(const Matrix entering, streams.Entering(b));
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, runner.LoadBlock(b));
    runner.RunBack(block, entering, d, taps(b, block));
    report(2 * layers - b);
  }
  return result;
}

double UniformAt(uint64_t seed, uint64_t counter) {
  uint64_t z = seed + (counter + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

}  // namespace bitwright::worker
