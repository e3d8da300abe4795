#include "workers/kernels/octet_form.h"

#include <algorithm>
#include <utility>

namespace bitwright::worker {
namespace {

// to = a⁻¹ by Gauss and Jordan; a positive definite [n, n] needs no pivoting.
template <int n>
void Invert(const double (&a)[n * n], double (&to)[n * n]) {
  double rest[n * n];
  std::copy_n(a, n * n, rest);
  std::fill_n(to, n * n, 0.0);
  for (int i = 0; i < n; ++i) to[i * n + i] = 1;
  for (int k = 0; k < n; ++k) {
    const double pivot = 1 / rest[k * n + k];
    for (int j = 0; j < n; ++j) {
      rest[k * n + j] *= pivot;
      to[k * n + j] *= pivot;
    }
    for (int i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = rest[i * n + k];
      for (int j = 0; j < n; ++j) {
        rest[i * n + j] -= factor * rest[k * n + j];
        to[i * n + j] -= factor * to[k * n + j];
      }
    }
  }
}

}  // namespace

// The relaxed form is the inverse of the first quarter of S⁻¹ (Zhang, The Schur Complement and Its Applications, 2005,
// theorem 1.2).
OctetForm::OctetForm(const double (&from)[64]) {
  std::copy_n(from, 64, s);
  Invert<8>(s, inverse);
  double quarter[16];
  for (int i = 0; i < 4; ++i) std::copy_n(inverse + 8 * i, 4, quarter + 4 * i);
  Invert<4>(quarter, relaxed);
}

}  // namespace bitwright::worker
