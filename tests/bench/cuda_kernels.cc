// The operations of a graphics processor beside what the same card does in the same run: copies of memory, and products
// of 8192 × 8192 matrices.
//   cuda_kernels_bench [PART_OF_A_NAME]
#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "workers/kernels/cuda/cuda_device.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = 4096;  // tokens of one call

// What bounds an operation: bytes moved, each once, or multiplications and additions of a type.
enum class Floor { kCopy, kF32, kBf16 };

class KernelBench {
 public:
  KernelBench(Device& device, std::string wanted) : device_(device), wanted_(std::move(wanted)) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& value : pattern_) value = normal(random);
  }

  DeviceMatrix Random(int64_t rows, int64_t columns) {
    DeviceMatrix matrix(device_, DType::kF32, rows, columns);
    const int64_t step = std::max<int64_t>(1, std::ssize(pattern_) / columns);
    for (int64_t r = 0; r < rows; r += step) {
      const int64_t count = std::min(step, rows - r);
      device_.Write(std::span(pattern_).first(static_cast<size_t>(count * columns)), matrix.view().Rows(r, count));
    }
    return matrix;
  }
  DeviceMatrix Narrow(const DeviceMatrix& wide) {
    DeviceMatrix narrow(device_, DType::kBF16, wide.view().rows, wide.view().columns);
    device_.Narrow(wide.view(), narrow.view());
    return narrow;
  }

  // Prints a row. work: bytes, or multiplications and additions, each counted. The best of three.
  void Measure(const std::string& name, Floor floor, double work, const std::function<void()>& run) {
    if (name.find(wanted_) == std::string::npos && !always_) return;
    const double seconds = SecondsOf(run), rate = work / seconds;
    double& best = floor == Floor::kCopy ? copy_ : floor == Floor::kF32 ? f32_ : bf16_;
    if (always_) best = rate;
    std::printf("%-44s %10.3f ms %9.2f %s %6.1f %%\n", name.c_str(), seconds * 1e3, rate / 1e12,
                floor == Floor::kCopy ? "TB/s  " : "Tflop/s", 100 * rate / best);
    std::fflush(stdout);
  }

  // The floors themselves.
  void Floors() {
    always_ = true;
    {
      const DeviceMatrix a = Random(8192, 8192), b = Random(8192, 8192);
      Measure("copy, 256 MiB", Floor::kCopy, 2.0 * 4 * 8192 * 8192, [&] { device_.Copy(a.view(), b.view()); });
      const DeviceMatrix c(device_, DType::kF32, 8192, 8192), narrow = Narrow(b);
      const double flops = 2.0 * 8192 * 8192 * 8192;
      Measure("product f32, 8192³", Floor::kF32, flops, [&] { device_.Multiply(a.view(), {b.view()}, c.view()); });
      Measure("product bf16, 8192³, narrowed on the way", Floor::kBf16, flops,
              [&] { device_.Multiply(a.view(), {narrow.view()}, c.view()); });
    }
    always_ = false;
  }

  void Products() {
    const std::pair<int64_t, int64_t> shapes[] = {{4096, 4096}, {4096, 14336}, {14336, 4096}};
    for (const auto& [in, out] : shapes) {
      const DeviceMatrix x = Random(kRows, in), w = Random(out, in), y = Random(kRows, out), narrow = Narrow(w);
      const std::string shape = ", " + std::to_string(in) + " to " + std::to_string(out);
      const double flops = 2.0 * kRows * static_cast<double>(in) * static_cast<double>(out);
      Measure("product f32" + shape, Floor::kF32, flops, [&] { device_.Multiply(x.view(), {w.view()}, y.view()); });
      Measure("product bf16" + shape, Floor::kBf16, flops,
              [&] { device_.Multiply(x.view(), {narrow.view()}, y.view()); });
      Measure("product f32, back" + shape, Floor::kF32, flops,
              [&] { device_.MultiplyBack(y.view(), w.view(), 1, x.view()); });
      Measure("outer product" + shape, Floor::kF32, flops,
              [&] { device_.AddOuter(y.view(), x.view(), 1e-6f, w.view()); });
    }
    for (const int64_t n : {int64_t{4096}, int64_t{14336}}) {
      const DeviceMatrix x = Random(kRows, n), sums(device_, DType::kF32, n, n);
      device_.Fill(0, sums.view());
      Measure("moment, " + std::to_string(n), Floor::kF32,
              static_cast<double>(kRows) * static_cast<double>(n * (n + 1)),
              [&] { device_.AddMoment(x.view(), sums.view()); });
    }
  }

  void Rows() {
    const int64_t hidden = 4096, heads = 32, dim = 128, inner = 14336;
    const DeviceMatrix x = Random(kRows, hidden), y = Random(kRows, hidden), z = Random(kRows, hidden);
    const DeviceMatrix weight = Random(1, hidden), cos = Random(512, dim / 2), sin = Random(512, dim / 2);
    const double bytes = 4.0 * kRows * hidden;
    const auto whole = [&](const DeviceMatrix& m) { return Heads{m.view(), 1, hidden, hidden}; };
    const auto in_heads = [&](const DeviceMatrix& m) { return Heads{m.view(), heads, dim, dim}; };
    const NormParts norm{weight.view(), {}, 1e-5f}, head_norm{weight.view().Columns(0, dim), {}, 1e-5f};
    Measure("add", Floor::kCopy, 3 * bytes, [&] { device_.Add(0.5f, x.view(), y.view()); });
    Measure("norm, 4096", Floor::kCopy, 2 * bytes, [&] { device_.Norm(whole(x), norm, whole(y)); });
    Measure("norm of heads, 128", Floor::kCopy, 2 * bytes, [&] { device_.Norm(in_heads(x), head_norm, in_heads(y)); });
    Measure("norm, back", Floor::kCopy, 4 * bytes, [&] { device_.NormBack(whole(x), norm, whole(y), whole(z), {}); });
    Measure("rotate", Floor::kCopy, 2 * bytes, [&] {
      device_.Rotate({cos.view(), sin.view(), dim, false}, false, in_heads(x));
    });
    Measure("sums of squares", Floor::kCopy, bytes, [&] { device_.AddSquares(x.view(), weight.view()); });
    const DeviceMatrix gate = Random(kRows, inner), up = Random(kRows, inner), out = Random(kRows, inner);
    const DeviceMatrix dup = Random(kRows, inner);
    const double inner_bytes = 4.0 * kRows * inner;
    Measure("silu · up", Floor::kCopy, 3 * inner_bytes,
            [&] { device_.Activate(Activation::kSilu, gate.view(), up.view(), out.view()); });
    Measure("silu · up, back", Floor::kCopy, 7 * inner_bytes, [&] {
      device_.ActivateBack(Activation::kSilu, gate.view(), up.view(), up.view(), out.view(), dup.view());
    });
    const DeviceMatrix narrow(device_, DType::kBF16, kRows, inner);
    Measure("narrow", Floor::kCopy, 1.5 * inner_bytes, [&] { device_.Narrow(gate.view(), narrow.view()); });
  }

  void Logits() {
    const int64_t rows = 1024, vocabulary = 128256;
    const DeviceMatrix base = Random(rows, vocabulary), other = Random(rows, vocabulary);
    const std::vector<int32_t> targets(static_cast<size_t>(rows), 77);
    std::vector<TokenComparison> results(targets.size());
    std::vector<int32_t> labels(targets.size());
    std::vector<double> losses(targets.size());
    const std::vector<double> uniforms(targets.size(), 0.9);
    const double bytes = 4.0 * static_cast<double>(rows) * static_cast<double>(vocabulary);
    Measure("compare logits", Floor::kCopy, 2 * bytes,
            [&] { device_.Compare(base.view(), other.view(), targets, results); });
    Measure("sample", Floor::kCopy, bytes, [&] { device_.Sample(base.view(), uniforms, labels); });
    Measure("loss, back", Floor::kCopy, 2 * bytes, [&] { device_.LossBack(base.view(), targets, losses); });
  }

  void Attention() {
    const int64_t heads = 32, kv_heads = 8;
    for (const auto& [window, dim] : {std::pair<int64_t, int64_t>{512, 128}, {2048, 128}, {2048, 64}, {2048, 256}}) {
      const DeviceMatrix q = Random(kRows, heads * dim), k = Random(kRows, kv_heads * dim);
      const DeviceMatrix v = Random(kRows, kv_heads * dim), out = Random(kRows, heads * dim);
      const DeviceMatrix dq = Random(kRows, heads * dim), dk = Random(kRows, kv_heads * dim);
      const DeviceMatrix dv = Random(kRows, kv_heads * dim);
      const auto query = [&](const DeviceMatrix& m) { return Heads{m.view(), heads, dim, dim}; };
      const auto key = [&](const DeviceMatrix& m) { return Heads{m.view(), kv_heads, dim, dim}; };
      const AttentionParts parts{0.1f, 0, window, 0};
      const double pairs = static_cast<double>(kRows * heads) * static_cast<double>(window + 1) / 2;
      const std::string shape = ", window " + std::to_string(window) + ", heads of " + std::to_string(dim);
      Measure("attention" + shape, Floor::kF32, 4 * pairs * static_cast<double>(dim),
              [&] { device_.Attend(parts, query(q), key(k), key(v), query(out)); });
      Measure("attention, back" + shape, Floor::kF32, 10 * pairs * static_cast<double>(dim),
              [&] { device_.AttendBack(parts, query(q), key(k), key(v), query(out), query(dq), key(dk), key(dv)); });
    }
  }

  void Transfers() {
    const int64_t rows = 14336, columns = 4096;
    std::vector<uint16_t> stored(static_cast<size_t>(rows * columns));
    for (size_t i = 0; i < stored.size(); ++i) stored[i] = FloatToBf16(pattern_[i % pattern_.size()]);
    const TensorView view{DType::kBF16, {rows, columns}, std::as_bytes(std::span(stored))};
    const DeviceMatrix to(device_, DType::kF32, rows, columns), turned(device_, DType::kF32, columns, rows);
    Measure("load bf16 from the host", Floor::kCopy, 2.0 * rows * columns, [&] { device_.Load(view, 0, to.view()); });
    Measure("load bf16, transposed", Floor::kCopy, 2.0 * rows * columns,
            [&] { device_.LoadTransposed(view, turned.view()); });
    std::vector<float> read(static_cast<size_t>(rows * columns));
    Measure("read f32 to the host", Floor::kCopy, 4.0 * rows * columns, [&] { device_.Read(to.view(), read); });
  }

 private:
  // Many calls between two waits, as a model's blocks make them.
  double SecondsOf(const std::function<void()>& run) {
    const auto seconds = [&](int runs) {
      const MonotonicTime start = clock_.Monotonic();
      for (int i = 0; i < runs; ++i) run();
      Wait();
      return absl::ToDoubleSeconds(clock_.Monotonic() - start) / runs;
    };
    seconds(1);
    const int runs = std::clamp(static_cast<int>(0.02 / seconds(1)), 1, 500);
    return std::min({seconds(runs), seconds(runs), seconds(runs)});
  }
  void Wait() { device_.Read(one_.view(), one_value_); }

  Device& device_;
  const std::string wanted_;
  std::vector<float> pattern_ = std::vector<float>((size_t{1} << 22) + 17);
  const DeviceMatrix one_{device_, DType::kF32, 1, 1};
  std::vector<float> one_value_ = {0};
  const SystemClock clock_;
  bool always_ = false;
  double copy_ = 1, f32_ = 1, bf16_ = 1;
};

int Run(const std::string& wanted) {
  ThreadPool pool(8);
  const auto device = MakeCudaDevice(0, pool);
  if (!device.ok()) {
    std::fprintf(stderr, "%s\n", device.status().ToString().c_str());
    return 1;
  }
  std::printf("%s, %s\n", CudaCards()[0].name.c_str(), CudaCards()[0].compute_class.c_str());
  KernelBench bench(**device, wanted);
  bench.Floors();
  bench.Products();
  bench.Attention();
  bench.Rows();
  bench.Logits();
  bench.Transfers();
  return 0;
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) { return bitwright::worker::Run(argc > 1 ? argv[1] : ""); }
