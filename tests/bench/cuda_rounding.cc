#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/bench/cuda_agreement.h"
#include "tests/bench/large_linear.h"
#include "workers/kernels/cuda/cuda_cards.h"
#include "workers/kernels/cuda/cuda_device.h"
#include "workers/kernels/cuda/cuda_libraries.h"
#include "workers/kernels/cuda/cuda_rounding.h"
#include "workers/kernels/cuda/ldlq_panel.h"
#include "workers/kernels/cuda/product.h"

// Rounding of one linear [N, N] on a card, beside the time of the products that it cannot do without, on the same card
// in the same run: cuda_rounding_bench [N] [ROWS]. Median of nine, the host's waiting included. Then the
// same rounding as the processor does it, on so many rows of less.
namespace bitwright::worker {
namespace {

using cuda::Wide;

double Milliseconds(
    const std::function<void()>& work, const std::function<void()>& prepare = [] {}) {
  std::vector<double> times;
  prepare();
  work();
  for (int k = 0; k < 9; ++k) {
    prepare();
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::nth_element(times, times.begin() + 4);
  return times[4];
}

class Bench {
 public:
  Bench(const cuda::Context& context, int64_t n)
      : context_(context),
        n_(n),
        rounding_(MakeCudaRounding(context)),
        weights_(context, DType::kF32, n * n),
        moment_(MomentOf(n)) {
    std::vector<float> w(static_cast<size_t>(n * n));
    FillRandom(w);
    cuda::Check(cudaMemcpy(weights_.wide(), w.data(), w.size() * sizeof(float), cudaMemcpyHostToDevice), "copy");
  }

  void Factorize() {
    const cuda::Array<double> a(context_, n_ * n_), b(context_, n_ * n_);
    a.Clear();
    const double one = 1, zero = 0;
    const double product = Milliseconds([&] {
      cuda::CheckCublas(cuda::Cublas()->gemm(context_.cublas, CUBLAS_OP_N, CUBLAS_OP_N, n_, n_, n_, &one, a.data(),
                                             CUDA_R_64F, n_, a.data(), CUDA_R_64F, n_, &zero, b.data(), CUDA_R_64F, n_,
                                             CUBLAS_COMPUTE_64F, CUBLAS_GEMM_DEFAULT),
                        "a product");
      context_.Wait();
    });
    std::vector<float> triangle;
    const FactorHead head = HeadOf(moment_, n_, false);
    const double own = Milliseconds(
        [&] {
          if (rounding_->Factorize(head, triangle).has_value()) std::puts("a factorization failed");
        },
        [&] { triangle = moment_; });
    Report("Factorize, with both ways of the triangle", own, product / 6, "its n^3/3 multiply-adds as an f64 product");
    factor_ = LoadFrom(*rounding_, head, triangle);
    const FactorHead sorted = HeadOf(moment_, n_, true);
    triangle = moment_;
    (void)rounding_->Factorize(sorted, triangle);
    sorted_ = LoadFrom(*rounding_, sorted, triangle);
  }

  void Ldlq() {
    const cuda::Array<float> sums(context_, n_ * n_), errors(context_, n_ * cuda::kPanel);
    const double products = Milliseconds([&] {
      for (int64_t end = cuda::kPanel; end < n_; end += cuda::kPanel) {
        const int64_t rest = n_ - end;
        const float* m = weights_.wide() + (end - cuda::kPanel) * n_ + end;
        cuda::Product(context_, 1, {errors.data(), cuda::kPanel}, {m, n_}, cuda::kPanel, 1,
                      {sums.data() + end, n_, rest, n_});
      }
      context_.Wait();
    });
    const std::vector<IntGrid> grid = {{4, 128, DType::kBF16}};
    const auto losses = [&](const DeviceFactor& factor, const LdlqOptions& options) {
      return Milliseconds([&] { (void)rounding_->LdlqLosses(factor, Weights(), grid, options); });
    };
    constexpr auto kFloor = "its trailing products";
    Report("LDLQ int4-g128", losses(*factor_, {}), products, kFloor);
    Report("LDLQ int4-g128, absmax", losses(*factor_, {ScaleMethod::kAbsMax}), products, kFloor);
    Report("LDLQ int4-g128, static", losses(*factor_, {ScaleMethod::kSearched, true}), products, kFloor);
    Report("LDLQ int4-g128, act_order", losses(*sorted_, {}), products, kFloor);
    const double whole = Milliseconds([&] { (void)rounding_->RoundLdlq(*factor_, Weights(), grid[0], {}); });
    Report("LDLQ int4-g128, codes on the host", whole, products, kFloor);
  }

  void Steps() {
    const Kinds kinds;
    const cuda::Array<float> to(context_, n_ * n_);
    const Wide w = cuda::WideOf(Weights()), out{to.data(), n_, n_, n_};
    const double product = Milliseconds([&] {
      cuda::Product(context_, 1, {w.data, n_}, {w.data, n_}, n_, 0, out);
      context_.Wait();
    });
    constexpr auto kFloor = "products, two for each sweep and one for each other step";
    for (const auto& [name, steps, products] :
         {std::tuple("start", GridSteps{false, 0}, 1), std::tuple("and feedback", GridSteps{true, 0}, 3),
          std::tuple("and sweeps", GridSteps{true, 3}, 9), std::tuple("and re-fit", GridSteps{true, 3, true, 2}, 27)}) {
      const double on_grid =
          Milliseconds([&] { (void)rounding_->RoundOnGrid(*factor_, Weights(), kinds.levels, steps); });
      Report(std::string("Grid as Q4_K: ") + name, on_grid, products * product, kFloor);
      const double on =
          Milliseconds([&] { (void)rounding_->RoundOnLattice(*factor_, Weights(), kinds.lattice, steps); });
      Report(std::string("Lattice as IQ2_XXS: ") + name, on, products * product, kFloor);
    }
  }

 private:
  Matrix Weights() { return {&weights_, 0, n_, n_, n_}; }
  static void Report(const std::string& what, double own, double floor, const char* of) {
    std::printf("%-46s %9.2f ms %9.2f ms %6.2f x %s\n", what.c_str(), own, floor, own / floor, of);
  }

  const cuda::Context& context_;
  const int64_t n_;
  std::unique_ptr<Rounding> rounding_;
  cuda::CudaMemory weights_;
  std::vector<float> moment_;
  std::unique_ptr<DeviceFactor> factor_, sorted_;
};

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  using namespace bitwright::worker;  // NOLINT(google-build-using-namespace): of a program
  const auto context = cuda::ContextOf(0);
  if (!context.ok()) {
    std::puts(context.status().ToString().c_str());
    return 1;
  }
  Bench bench(**context, argc > 1 ? std::atoll(argv[1]) : 4096);
  std::printf("%s\n", CudaCards()[0].name.c_str());
  bench.Factorize();
  bench.Ldlq();
  bench.Steps();
  const int64_t rows = argc > 2 ? std::atoll(argv[2]) : 300;
  for (const int64_t n : {1024, 1216}) {  // whole panels, and half of one
    for (const bool act_order : {false, true}) {
      if (rows > 0) CompareWithProcessor(**context, rows, n, act_order);
    }
  }
}
