// The only file that includes oneDNN. dnnl_sgemm is the same in v2 and v3; the matmul primitive is not.
#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <new>
#include <optional>
#include <tuple>
#include <vector>

#include "proto/base/log.h"
#include "workers/kernels/compute_class.h"
#include "workers/kernels/cpu/onednn_limit.h"
#include "workers/kernels/gemm.h"
#include "workers/kernels/kernels_errors.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

using dnnl::memory;

const dnnl::engine& CpuEngine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

struct Matmul {
  dnnl::matmul primitive;
  memory::desc a, b, c;
};

constexpr int64_t kWidened = 1024;  // columns of the operands that are widened at a time

using Shape = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t, int64_t>;

Matmul MakeMatmul(const Shape& shape) {
  const auto [m, n, k, lda, ldb, ldc] = shape;
  Matmul made;
  made.a = memory::desc({m, k}, memory::data_type::bf16, memory::dims{lda, 1});
  made.b = memory::desc({k, n}, memory::data_type::bf16, memory::dims{1, ldb});
  made.c = memory::desc({m, n}, memory::data_type::f32, memory::dims{ldc, 1});
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::matmul::primitive_desc desc(CpuEngine(), made.a, made.b, made.c);
#else
  const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(made.a, made.b, made.c), CpuEngine());
#endif
  made.primitive = dnnl::matmul(desc);
  return made;
}

// One cache per thread: creation is rare (few shapes), execution needs no lock.
const Matmul& CachedMatmul(const Shape& shape) {
  thread_local std::map<Shape, Matmul> cache;
  const auto found = cache.find(shape);
  if (found != cache.end()) return found->second;
  return cache.emplace(shape, MakeMatmul(shape)).first->second;
}

// What a class allows oneDNN: no more than our own kernels may use. Nothing: no such class.
std::optional<dnnl::cpu_isa> InstructionsOf(std::string_view compute_class) {
  if (compute_class == "cpu-x86-64-v2") return dnnl::cpu_isa::sse41;
  if (compute_class == "cpu-avx2") return dnnl::cpu_isa::avx2;
  if (compute_class == "cpu-avx512") return dnnl::cpu_isa::avx512_core;
  if (compute_class == "cpu-avx512-bf16") return dnnl::cpu_isa::avx512_core_bf16;
  return std::nullopt;
}

// Before the first product: a process that nobody gave a class is held to the detected one, so that a processor with
// more than its class says (AMX, VNNI) computes as its class does. Refused where a class was set before.
void HoldToClass() { [[maybe_unused]] static const bool held = LimitOneDnn(ComputeClass()).ok(); }

std::vector<float> Widen(const uint16_t* from, int64_t rows, int64_t columns, int64_t stride) {
  std::vector<float> wide(static_cast<size_t>(rows * columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      wide[static_cast<size_t>(r * columns + c)] = Bf16ToFloat(from[r * stride + c]);
  }
  return wide;
}

// What is left of a product without columns. A factor of 0 asks for zeros, whatever stood there.
void ScaleRows(float factor, int64_t m, int64_t n, float* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = factor == 0 ? 0 : factor * c[i * ldc + j];
  }
}

// c [m,n] = a [m,k] b [n,k]ᵀ. Throws dnnl::error.
void RunMatmul(const Shape& shape, const uint16_t* a, const uint16_t* b, float* c) {
  const Matmul& matmul = CachedMatmul(shape);
  thread_local dnnl::stream stream(CpuEngine());
  memory ma(matmul.a, CpuEngine(), const_cast<uint16_t*>(a));
  memory mb(matmul.b, CpuEngine(), const_cast<uint16_t*>(b));
  memory mc(matmul.c, CpuEngine(), c);
  matmul.primitive.execute(stream, {{DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, mb}, {DNNL_ARG_DST, mc}});
  stream.wait();
}

}  // namespace

void GemmF32(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
             const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) return ScaleRows(beta, m, n, c, ldc);
  HoldToClass();
  const auto status =
      dnnl_sgemm(trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  CHECK(status == dnnl_success) << "dnnl_sgemm " << m << "x" << n << "x" << k;
}

void GemmBf16(int64_t m, int64_t n, int64_t k, const uint16_t* a, int64_t lda, const uint16_t* b, int64_t ldb, float* c,
              int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) return ScaleRows(0, m, n, c, ldc);
  if (!HasBf16Gemm()) {
    for (int64_t first = 0; first < k; first += kWidened) {
      const int64_t width = std::min(kWidened, k - first);
      const auto wide_a = Widen(a + first, m, width, lda);
      const auto wide_b = Widen(b + first, n, width, ldb);
      GemmF32(false, true, m, n, width, 1.0f, wide_a.data(), width, wide_b.data(), width, first == 0 ? 0.0f : 1.0f, c,
              ldc);
    }
    return;
  }
  HoldToClass();
  try {
    RunMatmul({m, n, k, lda, ldb, ldc}, a, b, c);
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
}

absl::Status LimitOneDnn(std::string_view compute_class) {
  const std::optional<dnnl::cpu_isa> wanted = InstructionsOf(compute_class);
  if (!wanted) return ComputeClassUnavailableError(compute_class, DetectComputeClass());
  // It can be set once, and only before oneDNN has looked at it: a second call for the same class finds it set.
  if (dnnl::set_max_cpu_isa(*wanted) == dnnl::status::success) return absl::OkStatus();
  return OneDnnClass() == compute_class ? absl::OkStatus() : ComputeClassFixedError(compute_class);
}

std::string OneDnnClass() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  for (const char* name : {"cpu-x86-64-v2", "cpu-avx2", "cpu-avx512", "cpu-avx512-bf16"}) {
    if (InstructionsOf(name) == isa) return name;
  }
  return "instructions " + std::to_string(static_cast<int>(isa));
}

}  // namespace bitwright::worker
