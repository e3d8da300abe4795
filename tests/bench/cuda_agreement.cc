#include "tests/bench/cuda_agreement.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "tests/bench/large_linear.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/cuda/cuda_rounding.h"

namespace bitwright::worker {

void CompareWithProcessor(const cuda::Context& context, int64_t rows, int64_t n, bool act_order) {
  ThreadPool pool(16);
  const auto card = MakeCudaRounding(context);
  const auto processor = MakeCpuDevice(pool);
  Rounding* host = &processor->rounding();
  const FactorHead head = HeadOf(MomentOf(n), n, act_order);
  std::vector<float> triangle = MomentOf(n), of_host = triangle;
  (void)card->Factorize(head, triangle);
  (void)host->Factorize(head, of_host);
  double most = 0;
  for (size_t i = 0; i < triangle.size(); ++i) {
    most = std::max(most, std::abs(double{triangle[i]} - of_host[i]) / (std::abs(of_host[i]) + 1e-3));
  }
  std::vector<float> values(static_cast<size_t>(rows * n));
  FillRandom(values);
  cuda::CudaMemory memory(context, DType::kF32, rows * n);
  cuda::Check(cudaMemcpy(memory.wide(), values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice), "copy");
  const DeviceMatrix on_host(*processor, DType::kF32, rows, n);
  processor->Write(values, on_host.view());
  const Matrix w{&memory, 0, rows, n, n}, w_host = on_host.view();
  const auto factor = LoadFrom(*card, head, of_host), factor_host = LoadFrom(*host, head, of_host);
  std::printf("[%ld, %ld]%s factor within %.1e", static_cast<long>(rows), static_cast<long>(n),
              act_order ? " act_order" : "", most);
  for (const IntGrid& grid : {IntGrid{4, 64, DType::kBF16}, IntGrid{3, 32, DType::kF16}, IntGrid{8, n, DType::kF32}}) {
    const RoundedLinear got = card->RoundLdlq(*factor, w, grid, {}), again = card->RoundLdlq(*factor, w, grid, {});
    const RoundedLinear want = host->RoundLdlq(*factor_host, w_host, grid, {});
    int64_t same = 0;
    for (int64_t r = 0; r < rows; ++r) {
      same += std::equal(&got.codes[r * n], &got.codes[r * n] + n, &want.codes[r * n]) ? 1 : 0;
    }
    std::printf("; int%d %ld rows same, loss %.5f%s", grid.bits, static_cast<long>(same), got.loss / want.loss,
                got.codes == again.codes && got.row_loss == again.row_loss ? "" : " NOT THE SAME AGAIN");
  }
  const Kinds kinds;
  const GridSteps steps{true, 3, true, 2};
  for (const Grid* grid : {&kinds.minima, &kinds.levels}) {
    if (grid->two_levels() && n % grid->super != 0) continue;
    const GridRounded got = card->RoundOnGrid(*factor, w, *grid, steps);
    const bool same = card->RoundOnGrid(*factor, w, *grid, steps).codes.codes == got.codes.codes;
    std::printf("; grid %.5f%s", got.loss / host->RoundOnGrid(*factor_host, w_host, *grid, steps).loss,
                same ? "" : " NOT THE SAME AGAIN");
  }
  if (n % kinds.lattice.super == 0) {
    const LatticeRounded got = card->RoundOnLattice(*factor, w, kinds.lattice, steps);
    const bool same = card->RoundOnLattice(*factor, w, kinds.lattice, steps).codes.points == got.codes.points;
    std::printf("; lattice %.5f%s", got.loss / host->RoundOnLattice(*factor_host, w_host, kinds.lattice, steps).loss,
                same ? "" : " NOT THE SAME AGAIN");
  }
  std::puts("");
}

}  // namespace bitwright::worker
