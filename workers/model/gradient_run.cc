#include "workers/model/gradient_run.h"

#include <map>
#include <optional>

#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

// The streams that enter blocks [begin, end): every `step`-th is kept from the way forward; those of one run of `step`
// blocks are made again when the way back reaches it.
class Streams {
 public:
  // x is the stream that enters `begin`.
  Streams(BlockRunner& runner, DeviceMatrix x, int64_t begin, int64_t end, int64_t most_bytes)
      : runner_(runner), x_(std::move(x)), begin_(begin) {
    const int64_t blocks = end - begin;
    const int64_t bytes = x_.view().rows * x_.view().columns * static_cast<int64_t>(sizeof(float));
    step_ = KeptStreamStep(blocks, bytes, most_bytes);
  }

  // The stream before block b passes through the block, where it is wanted behind it. In order, from `begin` on.
  absl::Status Forward(int64_t b, bool pass) {
    if ((b - begin_) % step_ == 0) Keep(b);
    if (!pass) return absl::OkStatus();
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, runner_.LoadBlock(b));
    runner_.model().Prefetch(b + 1);
    runner_.Run(block, x_.view());
    return absl::OkStatus();
  }
  // Behind the last block that was passed.
  const Matrix& last() const { return x_.view(); }

  // The stream that enters block b, on the way back: b falls by one from call to call.
  absl::StatusOr<Matrix> Entering(int64_t b) {
    if (!kept_.contains(b)) {
      const int64_t first = b - (b - begin_) % step_;
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
  const int64_t begin_;
  int64_t step_ = 1;
  std::map<int64_t, DeviceMatrix> kept_;  // block → the stream that enters it
};

// Loss and labels behind the last block, whose stream is `last`; d becomes the gradient with respect to it.
void HeadBack(const BlockRunner& runner, const Matrix& last, const GradientOptions& options, GradientResult& result,
              const Matrix& d) {
  Device& device = runner.device();
  const size_t tokens = static_cast<size_t>(last.rows);
  std::optional<DeviceMatrix> copy(std::in_place, device, DType::kF32, last.rows, last.columns);
  const Matrix hidden = copy->view();
  device.Copy(last, hidden);
  runner.model().FinalNorm(device, hidden);
  const OutputHead head(runner);
  result.labels = options.labels;
  if (result.labels.empty()) {
    std::vector<double> uniforms;
    for (size_t t = 0; t < tokens; ++t) uniforms.push_back(UniformAt(options.seed, options.first_position + t));
    result.labels.resize(tokens);
    head.Sample(hidden, uniforms, result.labels);
  }
  result.losses.resize(tokens);
  head.LossBack(hidden, result.labels, result.losses, d, options.logits);
  copy.reset();
  runner.model().FinalNormBack(device, last, d, options.final_norm);
}

}  // namespace

absl::StatusOr<GradientResult> RunGradients(BlockRunner& runner, std::span<const int32_t> ids, GradientOptions options,
                                            const BlockTaps& taps, const std::function<void(double)>& progress) {
  const int64_t layers = runner.model().config().layers;
  const int64_t begin = options.begin, end = options.end < 0 ? layers : options.end;
  const auto report = [&](int64_t done) {
    progress(static_cast<double>(done) / static_cast<double>(2 * (end - begin)));
  };
  Streams streams(runner, begin == 0 ? runner.Embed(ids) : std::move(options.entering), begin, end,
                  options.most_stream_bytes);
  for (int64_t b = begin; b < end; ++b) {
    ABSL_RETURN_IF_ERROR(streams.Forward(b, /*pass=*/b + 1 < end || end == layers));
    report(b - begin + 1);
  }
  GradientResult result;
  result.entering =
      end < layers ? std::move(options.leaving) : runner.NewStream(static_cast<int64_t>(ids.size()) / runner.window());
  const Matrix& d = result.entering.view();
  if (end == layers) HeadBack(runner, streams.last(), options, result, d);
  for (int64_t b = end - 1; b >= begin; --b) {
    ABSL_ASSIGN_OR_RETURN(const Matrix entering, streams.Entering(b));
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, runner.LoadBlock(b));
    if (b > begin) runner.model().Prefetch(b - 1);
    runner.RunBack(block, entering, d, taps(b, block));
    report(2 * (end - begin) - (b - begin));
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
