#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "workers/evaluate/token_stats.h"
#include "workers/kernels/cpu/cpu_device.h"

namespace bitwright::worker {
namespace {

// Pairs of logits per second on one core.
void ComparePairs(benchmark::State& state) {
  const int64_t vocabulary = state.range(0), tokens = 32;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> base(vocabulary * tokens), quantized(base.size());
  for (size_t i = 0; i < base.size(); ++i) quantized[i] = (base[i] = normal(random)) + 0.03f * normal(random);
  const std::vector<int32_t> targets(tokens, 5);
  ThreadPool pool(1);
  const auto device = MakeCpuDevice(pool);
  const DeviceMatrix a(*device, DType::kF32, tokens, vocabulary), b(*device, DType::kF32, tokens, vocabulary);
  device->Write(base, a.view());
  device->Write(quantized, b.view());
  for (auto _ : state) benchmark::DoNotOptimize(CompareLogits(*device, a.view(), b.view(), targets));
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(base.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(ComparePairs)->Arg(2048)->Arg(49152)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bitwright::worker
