#include "workers/kernels/cuda/cuda_products.h"

#include <algorithm>

#include "workers/kernels/cuda/cuda_libraries.h"
#include "workers/kernels/cuda/elementwise.h"
#include "workers/kernels/cuda/product.h"

namespace bitwright::worker::cuda {
namespace {

// Of an input that is rounded or narrowed for a product, at most so much at a time.
constexpr int64_t kScratchBytes = int64_t{64} << 20;
// Products of so many rows are summed by one call, in f32, and added to the sums: an error of about 1e-6 of a sum.
constexpr int64_t kMomentRows = 4096;
constexpr int64_t kNarrowAlignment = 8;  // elements of 16 bytes, in which tensor cores are fed

int64_t RoundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Equal parts of n, each at most `most`.
int64_t EvenPart(int64_t n, int64_t most) {
  const int64_t parts = std::max<int64_t>(1, CeilDiv(n, std::max<int64_t>(1, most)));
  return std::max<int64_t>(1, CeilDiv(n, parts));
}

// x as its site has it, narrowed where w is: piece by piece of its rows.
void MultiplyChanged(const Context& context, const Wide& x, const Device::Affine& affine, const Wide& out) {
  const bool narrow = affine.w.memory->type() == DType::kBF16;
  const int64_t pitch = RoundUp(x.columns, kNarrowAlignment);
  const int64_t rows = EvenPart(x.rows, kScratchBytes / (std::max<int64_t>(1, pitch) * int64_t{sizeof(float)}));
  const Array<float> rounded(context, affine.site.rounds() ? rows * pitch : 0);
  const Array<uint16_t> narrowed(context, narrow ? rows * pitch : 0);
  for (int64_t first = 0; first < x.rows; first += rows) {
    const int64_t count = std::min(rows, x.rows - first);
    Wide from{x.data + first * x.stride, count, x.columns, x.stride};
    const Wide to{out.data + first * out.stride, count, out.columns, out.stride};
    if (affine.site.rounds()) {
      const Wide as_rounded{rounded.data(), count, x.columns, pitch};
      Check(RoundAtSite(affine.site, from, as_rounded, context.stream), "rounding at a site");
      from = as_rounded;
    }
    const float beta = affine.add ? 1 : 0;
    if (narrow) {
      const Narrow w = NarrowOf(affine.w);
      Check(NarrowToBf16(from, {narrowed.data(), count, x.columns, pitch}, context.stream), "narrowing");
      Product(context, affine.factor, {narrowed.data(), pitch}, {w.data, w.stride, true}, x.columns, beta, to);
    } else {
      const Wide w = WideOf(affine.w);
      Product(context, affine.factor, {from.data, from.stride}, {w.data, w.stride, true}, x.columns, beta, to);
    }
  }
}

}  // namespace

void Multiply(const Context& context, const Matrix& x, const Device::Affine& affine, const Matrix& out) {
  const Wide from = WideOf(x), to = WideOf(out);
  if (affine.site.rounds() || affine.w.memory->type() == DType::kBF16) {
    MultiplyChanged(context, from, affine, to);
  } else {
    const Wide w = WideOf(affine.w);
    Product(context, affine.factor, {from.data, from.stride}, {w.data, w.stride, true}, from.columns,
            affine.add ? 1 : 0, to);
  }
  if (!affine.bias.has_value()) return;
  Check(AddToRows(affine.factor, WideOf(affine.bias), to, context.stream), "adding a bias");
}

void MultiplyBack(const Context& context, const Matrix& dy, const Matrix& w, float factor, const Matrix& dx) {
  const Wide given = WideOf(dy), weights = WideOf(w);
  Product(context, factor, {given.data, given.stride}, {weights.data, weights.stride}, given.columns, 1, WideOf(dx));
}

void AddOuter(const Context& context, const Matrix& dy, const Matrix& x, float factor, const Matrix& dw) {
  const Wide given = WideOf(dy), from = WideOf(x);
  Product(context, factor, {given.data, given.stride, true}, {from.data, from.stride}, from.rows, 1, WideOf(dw));
}

// Down columns as cuBLAS counts, xᵀ is x and the upper triangle the lower one.
void AddMoment(const Context& context, const Matrix& x, const Matrix& sums) {
  const Wide from = WideOf(x), to = WideOf(sums);
  const float one = 1;
  for (int64_t first = 0; first < from.rows; first += kMomentRows) {
    CheckCublas(Cublas()->ssyrk(context.cublas, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, from.columns,
                                std::min(kMomentRows, from.rows - first), &one, from.data + first * from.stride,
                                from.stride, &one, to.data, to.stride),
                "a second moment");
  }
}

}  // namespace bitwright::worker::cuda
