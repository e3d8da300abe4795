#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "proto/base/log.h"
#include "workers/allocate/knapsack.h"

namespace bitwright::worker {
namespace {

// Units of 2 to 8 bits, sizes and sensitivities spread as in large models.
void SolveUnits(benchmark::State& state) {
  const int64_t units = state.range(0);
  std::mt19937 random(1);
  std::lognormal_distribution<double> size(12, 1), sensitivity(0, 2);
  std::uniform_real_distribution<double> noise(0.8, 1.25);
  std::vector<Option> options;
  std::vector<int64_t> offsets = {0};
  double weights = 0;
  for (int64_t u = 0; u < units; ++u) {
    const int64_t n = static_cast<int64_t>(size(random)) + 64;
    const double scale = sensitivity(random);
    weights += static_cast<double>(n);
    for (int bits = 2; bits <= 8; ++bits) {
      options.push_back({n * bits / 8 + 16, scale * noise(random) * std::pow(4.0, -bits)});
    }
    offsets.push_back(static_cast<int64_t>(options.size()));
  }
  const int64_t budget = static_cast<int64_t>(weights * 4.25 / 8) + 16 * units;
  double gap = 0;
  for (auto _ : state) {
    const auto choice = Solve(OptionTable{options, offsets}, budget);
    CHECK(choice.ok()) << choice.status();
    gap = (choice->loss - choice->bound) / choice->loss;
  }
  state.counters["gap"] = gap;
}
BENCHMARK(SolveUnits)->Arg(300)->Arg(1000)->Arg(10000)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bitwright::worker
