#include "workers/kernels/cuda/cuda_factor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "proto/base/log.h"
#include "workers/kernels/cuda/ldlq_panel.h"
#include "workers/kernels/cuda/product.h"
#include "workers/kernels/cuda/triangle.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker::cuda {
namespace {

constexpr int64_t kPartElements = int64_t{1} << 22;  // of a packed triangle that are on the card at a time: 16 MiB
constexpr int64_t kMomentRows = 1024;                // of H' that are multiplied at a time

// each(part) for all rows of a triangle, in order.
template <typename Each>
void ForParts(int64_t n, const Each& each) {
  for (TriangleRowsPart part{n, 0, 0}; part.first < n; part.first += part.rows) {
    part.rows = std::clamp<int64_t>(kPartElements / (n - part.first), 1, n - part.first);
    each(part);
  }
}

std::span<float> Of(const TriangleRowsPart& part, std::span<float> triangle) {
  return triangle.subspan(static_cast<size_t>(part.Offset(part.first)), static_cast<size_t>(part.elements()));
}

std::vector<int32_t> Positions(const FactorHead& head) {
  std::vector<int32_t> positions(head.order.size());
  for (size_t p = 0; p < positions.size(); ++p) positions[static_cast<size_t>(head.order[p])] = static_cast<int32_t>(p);
  return positions;
}

// The first row of a Cholesky factor whose pivot is no positive number: cuSOLVER reports those below zero alone.
std::optional<int64_t> BadPivot(const Context& context, const double* c, int64_t n) {
  std::vector<double> diagonal(static_cast<size_t>(n));
  Check(cudaMemcpy2DAsync(diagonal.data(), sizeof(double), c, static_cast<size_t>(n + 1) * sizeof(double),
                          sizeof(double), static_cast<size_t>(n), cudaMemcpyDeviceToHost, context.stream),
        "copy");
  context.Wait();
  const auto bad = std::ranges::find_if(diagonal, [](double pivot) { return !(pivot > 0) || !std::isfinite(pivot); });
  if (bad == diagonal.end()) return std::nullopt;
  return bad - diagonal.begin();
}

}  // namespace

CudaFactor::CudaFactor(const Context& context, FactorHead of)
    : head(std::move(of)),
      stride(CeilDiv(head.inputs, kPanel) * kPanel),
      m(context, stride * stride),
      d(context, stride),
      order(context, std::span<const int32_t>(head.order)),
      dead(context, std::span<const uint8_t>(head.dead)) {
  m.Clear();
  d.Clear();
}

Solver::~Solver() {
  if (handle_ != nullptr) (void)Cusolver()->destroy(handle_);
}

cusolverDnHandle_t Solver::Handle() const {
  if (handle_ == nullptr) {
    CheckCusolver(Cusolver()->create(&handle_), "making a cuSOLVER handle");
    CheckCusolver(Cusolver()->set_stream(handle_, context_.stream), "setting cuSOLVER's stream");
  }
  return handle_;
}

// By an ordinary Cholesky of the matrix in reverse (cpu_rounding.cc). To cuSOLVER, which counts by columns, what is
// below the diagonal of rows lies above it.
std::optional<int64_t> Solver::Factorize(const FactorHead& head, std::span<float> triangle) const {
  const int64_t n = head.inputs;
  CHECK(triangle.size() == static_cast<size_t>(PackedTriangleSize(n))) << n;
  const std::vector<int32_t> positions = Positions(head);
  const Array<int32_t> position(context_, std::span<const int32_t>(positions));
  const Array<float> diagonal(context_, std::span<const float>(head.diagonal));
  const Array<double> a(context_, n * n);
  ForParts(n, [&](const TriangleRowsPart& part) {
    const Array<float> packed(context_, std::span<const float>(Of(part, triangle)));
    Check(Reverse(part, packed.data(), {a.data(), position.data(), diagonal.data(), head.added}, context_.stream),
          "unpacking a moment");
  });
  constexpr auto kSide = CUBLAS_FILL_MODE_UPPER;
  int size = 0, info = 0;
  const auto order = static_cast<int>(n);
  CheckCusolver(Cusolver()->dpotrf_buffer(Handle(), kSide, order, a.data(), order, &size), "sizing a factorization");
  const Array<double> work(context_, size);
  const Array<int> result(context_, 1);
  CheckCusolver(Cusolver()->dpotrf(Handle(), kSide, order, a.data(), order, work.data(), size, result.data()),
                "a factorization");
  result.Read(std::span(&info, 1));
  if (info < 0) throw DeviceError("cuSOLVER refused argument " + std::to_string(-info) + " of a factorization");
  if (info > 0) return n - info;
  if (const std::optional<int64_t> bad = BadPivot(context_, a.data(), n)) return n - 1 - *bad;
  ForParts(n, [&](const TriangleRowsPart& part) {
    const Array<float> packed(context_, part.elements());
    Check(PackFactor(part, a.data(), packed.data(), context_.stream), "packing a factor");
    packed.Read(Of(part, triangle));
  });
  return std::nullopt;
}

std::unique_ptr<CudaFactor> LoadFactor(const Context& context, FactorHead head, const TriangleRows& rows) {
  auto factor = std::make_unique<CudaFactor>(context, std::move(head));
  const FactorHead& of = factor->head;
  std::vector<float> packed, importance(static_cast<size_t>(of.inputs));
  ForParts(of.inputs, [&](const TriangleRowsPart& part) {
    packed.resize(static_cast<size_t>(part.elements()));
    std::span<float> rest = packed;
    for (int64_t i = part.first; i < part.first + part.rows; ++i) {
      const auto length = static_cast<size_t>(of.inputs - i);
      rows(i, rest.first(length));
      const auto column = static_cast<size_t>(of.order[static_cast<size_t>(i)]);
      importance[column] = std::sqrt(of.diagonal[column] * rest[0]);
      rest = rest.subspan(length);
    }
    const Array<float> copy(context, std::span<const float>(packed));
    Check(UnpackFactor(part, copy.data(), factor->m.data(), factor->stride, factor->d.data(), context.stream),
          "unpacking a factor");
  });
  factor->importance = std::make_unique<Array<float>>(context, std::span<const float>(importance));
  return factor;
}

const float* MomentOf(const Context& context, const CudaFactor& factor) {
  if (factor.moment != nullptr) return factor.moment->data();
  const int64_t stride = factor.stride, n = factor.head.inputs;
  auto moment = std::make_unique<Array<float>>(context, stride * stride);
  moment->Clear();
  for (int64_t begin = 0; begin < n; begin += kMomentRows) {
    // M is upper triangular: what lies left of its part's diagonal is zero.
    const int64_t rows = std::min(kMomentRows, n - begin), columns = n - begin;
    const Wide part{factor.m.data() + begin * (stride + 1), rows, columns, stride};
    const Array<float> scaled(context, rows * columns), product(context, rows * columns);
    Check(ScaleColumns(part, factor.d.data() + begin, scaled.data(), context.stream), "scaling a factor");
    const Wide to{product.data(), rows, columns, columns};
    Product(context, 1, {scaled.data(), columns}, {part.data, stride, true}, columns, 0, to);
    Check(ScatterSymmetric(to, begin, factor.order.data(), moment->data(), stride, context.stream), "placing a moment");
  }
  factor.moment = std::move(moment);
  return factor.moment->data();
}

const CudaFactor& InOrder(const Context& context, const Solver& solver, const CudaFactor& factor) {
  if (!factor.head.act_order) return factor;
  if (factor.in_order != nullptr) return static_cast<const CudaFactor&>(*factor.in_order);
  const int64_t n = factor.head.inputs;
  const float* moment = MomentOf(context, factor);
  FactorHead head = factor.head;
  head.act_order = false;
  std::iota(head.order.begin(), head.order.end(), 0);
  std::vector<float> triangle(static_cast<size_t>(PackedTriangleSize(n)));
  const auto factorize = [&] {
    ForParts(n, [&](const TriangleRowsPart& part) {
      const Array<float> packed(context, part.elements());
      Check(PackSymmetric(part, moment, factor.stride, packed.data(), context.stream), "packing a moment");
      packed.Read(Of(part, triangle));
    });
    return !solver.Factorize(head, triangle).has_value();
  };
  // Rounded to f32 the moment may miss being positive by a little, where nothing was added to it.
  const double least = 1e-6 * std::accumulate(head.diagonal.begin(), head.diagonal.end(), 0.0) / static_cast<double>(n);
  while (!factorize()) head.added = std::max(least, 2 * head.added);
  factor.in_order = LoadFactor(context, head, [&](int64_t i, std::span<float> to) {
    std::copy_n(triangle.data() + PackedTriangleIndex(n, i, i), to.size(), to.data());
  });
  return static_cast<const CudaFactor&>(*factor.in_order);
}

}  // namespace bitwright::worker::cuda
