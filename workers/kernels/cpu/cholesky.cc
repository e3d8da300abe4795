#include "workers/kernels/cpu/cholesky.h"

#include <algorithm>
#include <cmath>

#include "workers/tensor/buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workers/kernels/cpu/cholesky.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<double, 8>;
using V = hn::Vec<D>;

// Solves X Cᵀ = panel in place by forward substitution. C is the diagonal block [width, width], rows ldc apart; the
// panel is transposed, panel[k][r] with 64 values r for each k in [0, width), rows `stride` apart: 64 rows of A are
// solved at once, one per lane.
void SolvePanel(const double* c, int64_t ldc, int64_t width, double* panel, int64_t stride) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t k = 0; k < width; ++k) {
    const V inverse = hn::Set(d, 1.0 / c[k * ldc + k]);
    for (int64_t r = 0; r < 64; r += 4 * lanes) {
      double* to = panel + k * stride + r;
      V x[4];
      for (int v = 0; v < 4; ++v) x[v] = hn::LoadU(d, to + v * lanes);
      for (int64_t l = 0; l < k; ++l) {
        const V f = hn::Set(d, c[k * ldc + l]);
        for (int v = 0; v < 4; ++v) x[v] = hn::NegMulAdd(hn::LoadU(d, panel + l * stride + r + v * lanes), f, x[v]);
      }
      for (int v = 0; v < 4; ++v) hn::StoreU(hn::Mul(x[v], inverse), d, to + v * lanes);
    }
  }
}

// The update of the rest of the matrix: a[i][j] −= Σ_k panel[k][i] · panel[k][j] for i in [0, 4) and j in [0, columns).
// Rows of a are `lda` apart, `columns` is a multiple of 16, and `left` points at column i of the panel. Four rows share
// each loaded piece of the panel.
void UpdateFourRows(const double* left, const double* panel, int64_t stride, int64_t width, int64_t columns, double* a,
                    int64_t lda) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < columns; j += 2 * lanes) {
    V x[8];
    for (int i = 0; i < 4; ++i) {
      x[2 * i] = hn::LoadU(d, a + i * lda + j);
      x[2 * i + 1] = hn::LoadU(d, a + i * lda + j + lanes);
    }
    for (int64_t k = 0; k < width; ++k) {
      const V p = hn::LoadU(d, panel + k * stride + j), q = hn::LoadU(d, panel + k * stride + j + lanes);
      for (int i = 0; i < 4; ++i) {
        const V f = hn::Set(d, left[k * stride + i]);
        x[2 * i] = hn::NegMulAdd(p, f, x[2 * i]);
        x[2 * i + 1] = hn::NegMulAdd(q, f, x[2 * i + 1]);
      }
    }
    for (int i = 0; i < 4; ++i) {
      hn::StoreU(x[2 * i], d, a + i * lda + j);
      hn::StoreU(x[2 * i + 1], d, a + i * lda + j + lanes);
    }
  }
}

}  // namespace
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitwright::worker {
namespace {

HWY_EXPORT(SolvePanel);
HWY_EXPORT(UpdateFourRows);

constexpr int64_t kPanel = 64;
constexpr int64_t kTileColumns = 256;  // of the panel: 128 KiB

// The diagonal block itself, column by column. Returns the column that failed, or −1.
int64_t FactorDiagonal(double* a, int64_t lda, int64_t width) {
  for (int64_t j = 0; j < width; ++j) {
    double pivot = a[j * lda + j];
    for (int64_t k = 0; k < j; ++k) pivot -= a[j * lda + k] * a[j * lda + k];
    if (!(pivot > 0) || !std::isfinite(pivot)) return j;
    const double root = a[j * lda + j] = std::sqrt(pivot);
    for (int64_t i = j + 1; i < width; ++i) {
      double sum = a[i * lda + j];
      for (int64_t k = 0; k < j; ++k) sum -= a[i * lda + k] * a[j * lda + k];
      a[i * lda + j] = sum / root;
    }
  }
  return -1;
}

}  // namespace

std::optional<int64_t> Cholesky(double* a, int64_t n, ThreadPool& pool) {
  const int64_t lda = CholeskyStride(n);
  const int64_t stride = (n + kPanel - 1) / kPanel * kPanel + kPanel;
  Buffer<double> panel(kPanel * stride);  // rows below the diagonal block, transposed
  for (int64_t p = 0; p < n; p += kPanel) {
    const int64_t width = std::min(kPanel, n - p);
    double* diagonal = a + p * lda + p;
    if (const int64_t failed = FactorDiagonal(diagonal, lda, width); failed >= 0) return p + failed;
    const int64_t first = p + width, below = n - first;
    const int64_t strips = (below + kPanel - 1) / kPanel;
    pool.ParallelFor(strips, [&](int64_t strip, int) {
      const int64_t r0 = strip * kPanel, rows = std::min(kPanel, below - r0);
      double* block = a + (first + r0) * lda + p;
      double* columns = panel.data() + r0;
      for (int64_t k = 0; k < width; ++k) std::fill_n(columns + k * stride, kPanel, 0.0);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t k = 0; k < width; ++k) columns[k * stride + r] = block[r * lda + k];
      }
      HWY_DYNAMIC_DISPATCH(SolvePanel)(diagonal, lda, width, columns, stride);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t k = 0; k < width; ++k) block[r * lda + k] = columns[k * stride + r];
      }
    });
    pool.ParallelFor(strips, [&](int64_t strip, int) {
      const int64_t end = std::min((strip + 1) * kPanel, below);
      // A tile of the panel stays in a core's cache for all rows of the strip.
      for (int64_t tile = 0; tile < end; tile += kTileColumns) {
        for (int64_t i = strip * kPanel; i < end; i += 4) {
          const int64_t columns = std::min(kTileColumns, (std::min(i + 4, end) + 15) / 16 * 16 - tile);
          if (columns <= 0) continue;
          double* row = a + (first + i) * lda + first + tile;
          HWY_DYNAMIC_DISPATCH(UpdateFourRows)(panel.data() + i, panel.data() + tile, stride, width, columns, row, lda);
        }
      }
    });
  }
  return std::nullopt;
}

}  // namespace bitwright::worker
#endif
