#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "proto/base/log.h"
#include "workers/formats/int_format.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/gemm.h"
#include "workers/quantize/factor.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

struct Linear {
  Linear(int64_t out, int64_t in) : out(out), in(in), weights(out * in), packed(PackedTriangleSize(in)) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& w : weights) w = 0.05f * normal(random);
    const int64_t samples = 2 * in;
    std::vector<float> x(samples * in), moment(in * in);
    for (float& value : x) value = normal(random);
    GemmF32(true, false, in, in, samples, 1.0f / static_cast<float>(samples), x.data(), in, x.data(), in, 0.0f,
            moment.data(), in);
    PackTriangle(moment, in, packed);
  }
  int64_t out, in;
  std::vector<float> weights, packed;
};

void BuildOneFactor(benchmark::State& state) {
  const Linear linear(1, state.range(0));
  ThreadPool pool(static_cast<int>(state.range(1)));
  const auto device = MakeCpuDevice(pool);
  for (auto _ : state) {
    auto factor = BuildFactor(linear.packed, linear.in, {}, *device);
    CHECK(factor.ok()) << factor.status();
  }
  const double n = static_cast<double>(linear.in);
  state.counters["flops"] = benchmark::Counter(n * n * n / 3, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BuildOneFactor)
    ->Args({512, 2})
    ->Args({1536, 2})
    ->Args({4096, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Losses of all 28 formats of one linear.
void ProfileLinear(benchmark::State& state) {
  const Linear linear(state.range(0), state.range(1));
  ThreadPool pool(static_cast<int>(state.range(2)));
  const auto device = MakeCpuDevice(pool);
  const auto factor = BuildFactor(linear.packed, linear.in, {}, *device);
  CHECK(factor.ok()) << factor.status();
  std::vector<IntGrid> grids;
  for (const IntFormat format : AllowedIntFormats(linear.in)) grids.push_back(format.Grid(linear.in, DType::kBF16));
  const LdlqOptions options{.scales = state.range(3) != 0 ? ScaleMethod::kSearched : ScaleMethod::kAbsMax,
                            .static_groups = state.range(4) != 0};
  const DeviceMatrix weights(*device, DType::kF32, linear.out, linear.in);
  device->Write(linear.weights, weights.view());
  for (auto _ : state) {
    benchmark::DoNotOptimize(device->rounding().LdlqLosses(**factor, weights.view(), grids, options));
  }
  state.counters["weights"] = benchmark::Counter(static_cast<double>(linear.out * linear.in * grids.size()),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(ProfileLinear)
    ->ArgNames({"out", "in", "threads", "searched", "static"})
    ->Args({1536, 512, 1, 1, 0})
    ->Args({1536, 512, 2, 1, 0})
    ->Args({1536, 512, 2, 0, 0})
    ->Args({1536, 512, 2, 1, 1})
    ->Args({1536, 512, 2, 0, 1})
    ->Args({512, 1536, 2, 1, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace bitwright::worker
