// Included once per instruction set, after hwy/highway.h, by sources that include hwy/foreach_target.h.
#if defined(BITWRIGHT_OCTET_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITWRIGHT_OCTET_LANES_INL_H_
#undef BITWRIGHT_OCTET_LANES_INL_H_
#else
#define BITWRIGHT_OCTET_LANES_INL_H_
#endif

#include "workers/kernels/cpu/lane_lattice.h"
#include "workers/kernels/cpu/nearest_lanes-inl.h"
#include "workers/kernels/lattice_search.h"

// The choice of an octet's points and signs (reference/lattice_octet.h) in the lanes of one register.
HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {

// The lanes of one register on their way to a choice.
struct Chosen {
  V numbers[8];
  V signs[8];  // 1 or −1
  V points[2];
};

// Signs of x; where they must be even and are odd, that of least h|x| changes.
HWY_INLINE void SetSigns(const LaneLattice& lattice, const V* x, const V* h, V* signs) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  V parity = one, least = hn::Set(d, 3e38f), at = hn::Zero(d);
  for (int i = 0; i < 8; ++i) {
    signs[i] = hn::IfThenElse(hn::Lt(x[i], hn::Zero(d)), hn::Neg(one), one);
    parity = hn::Mul(parity, signs[i]);
    const V cost = hn::Mul(h[i], hn::Abs(x[i]));
    at = hn::IfThenElse(hn::Lt(cost, least), hn::Set(d, static_cast<float>(i)), at);
    least = hn::Min(least, cost);
  }
  if (!lattice.even_signs) return;
  at = hn::IfThenElse(hn::Lt(parity, hn::Zero(d)), at, hn::Set(d, -1.0f));
  for (int i = 0; i < 8; ++i) {
    signs[i] = hn::IfThenElse(hn::Eq(at, hn::Set(d, static_cast<float>(i))), hn::Neg(signs[i]), signs[i]);
  }
}

// Least cost among points, and its index.
struct Least {
  V cost;
  V index;

  HWY_INLINE void Take(V other, float at) {
    const D d;
    index = hn::IfThenElse(hn::Lt(other, cost), hn::Set(d, at), index);
    cost = hn::Min(other, cost);
  }
};

// vᵀ A v − 2 bᵀ v of one half of a point; a [half, half] rows `stride` apart, of which the diagonal and what is above
// it counts.
template <int half>
HWY_INLINE V HalfCost(const float* v, const V* a, int stride, const V* b) {
  const D d;
  V cost = hn::Zero(d);
  for (int i = 0; i < half; ++i) {
    V across = hn::Zero(d);
    for (int j = i + 1; j < half; ++j) across = hn::MulAdd(a[i * stride + j], hn::Set(d, v[j]), across);
    across = hn::Add(hn::Sub(across, b[i]), hn::Sub(across, b[i]));
    cost = hn::MulAdd(hn::Set(d, v[i]), hn::MulAdd(a[i * stride + i], hn::Set(d, v[i]), across), cost);
  }
  return cost;
}

// The point of least vᵀ A v − 2 bᵀ v; a [size, size], b [size], size = 2 · half.
template <int half>
HWY_INLINE V SearchPoints(const LaneLattice& lattice, const V* a, const V* b) {
  const D d;
  constexpr int kSize = 2 * half;
  alignas(64) float seconds[LaneLattice::kMostHalves * 16];
  const auto width = static_cast<size_t>(Width());
  for (size_t k = 0; k < lattice.seconds.size(); ++k) {
    hn::Store(HalfCost<half>(lattice.seconds[k].numbers, a + half * kSize + half, kSize, b + half), d,
              seconds + k * width);
  }
  Least least{hn::Set(d, 3e38f), hn::Zero(d)};
  for (const LaneLattice::Run& run : lattice.runs) {
    const V first = HalfCost<half>(run.first.numbers, a, kSize, b);
    V across[half];
    for (int j = 0; j < half; ++j) {
      across[j] = hn::Zero(d);
      for (int i = 0; i < half; ++i) {
        across[j] = hn::MulAdd(a[i * kSize + half + j], hn::Set(d, 2 * run.first.numbers[i]), across[j]);
      }
    }
    for (int p = run.begin; p < run.end; ++p) {
      const auto second = static_cast<size_t>(lattice.second_of[static_cast<size_t>(p)]);
      const float* v = lattice.seconds[second].numbers;
      V cost = hn::Add(first, hn::Load(d, seconds + second * width));
      for (int j = 0; j < half; ++j) cost = hn::MulAdd(across[j], hn::Set(d, v[j]), cost);
      least.Take(cost, lattice.index_of[static_cast<size_t>(p)]);
    }
  }
  return least.index;
}

// The same with A diagonal: h [size] of all lanes.
template <int half>
HWY_INLINE V SearchNearest(const LaneLattice& lattice, const float* h, const V* b) {
  const D d;
  alignas(64) float seconds[LaneLattice::kMostHalves * 16];
  const auto width = static_cast<size_t>(Width());
  const auto cost_of = [&](const float* v, int begin) {
    V cost = hn::Zero(d);
    for (int i = 0; i < half; ++i) {
      cost = hn::MulAdd(b[begin + i], hn::Set(d, -2 * v[i]), cost);
      cost = hn::Add(cost, hn::Set(d, h[begin + i] * v[i] * v[i]));
    }
    return cost;
  };
  for (size_t k = 0; k < lattice.seconds.size(); ++k) {
    hn::Store(cost_of(lattice.seconds[k].numbers, half), d, seconds + k * width);
  }
  Least least{hn::Set(d, 3e38f), hn::Zero(d)};
  for (const LaneLattice::Run& run : lattice.runs) {
    const V first = cost_of(run.first.numbers, 0);
    for (int p = run.begin; p < run.end; ++p) {
      const auto second = static_cast<size_t>(lattice.second_of[static_cast<size_t>(p)]);
      least.Take(hn::Add(first, hn::Load(d, seconds + second * width)), lattice.index_of[static_cast<size_t>(p)]);
    }
  }
  return least.index;
}

template <int size>
HWY_INLINE void SetNumbers(const LaneLattice& lattice, int part, V point, Chosen& to) {
  const D d;
  const hn::RebindToSigned<D> di;
  to.points[part] = point;
  const auto at = hn::Mul(hn::ConvertTo(di, point), hn::Set(di, size));
  for (int i = 0; i < size; ++i) {
    const V number = hn::GatherIndex(d, lattice.numbers.data() + i, at);
    to.numbers[part * size + i] = hn::Mul(number, to.signs[part * size + i]);
  }
}

// A row of a form times x.
HWY_INLINE V Row(const float* s, int count, const V* x) {
  V sum = hn::Zero(D());
  for (int j = 0; j < count; ++j) sum = hn::MulAdd(x[j], hn::Set(D(), s[j]), sum);
  return sum;
}

// One point of the octet: form [size, size], rows `stride` apart, and its linear part b before signs.
template <int size>
HWY_INLINE void SetPoint(const LaneLattice& lattice, int part, const float* form, int stride, V* b, Chosen& to) {
  V a[size * size];
  const V* signs = to.signs + part * size;
  for (int i = 0; i < size; ++i) {
    b[i] = hn::Mul(b[i], signs[i]);
    for (int j = 0; j < size; ++j) {
      a[i * size + j] = hn::Mul(hn::Mul(signs[i], signs[j]), hn::Set(D(), form[i * stride + j]));
    }
  }
  SetNumbers<size>(lattice, part, SearchPoints<size / 2>(lattice, a, b), to);
}

HWY_INLINE void SetHalf(const LaneLattice& lattice, int part, const LaneForm& form, const V* x, Chosen& to) {
  V miss[8], b[4];
  for (int j = 0; j < 8; ++j) miss[j] = j / 4 == part ? x[j] : hn::Sub(x[j], to.numbers[j]);
  for (int i = 0; i < 4; ++i) b[i] = Row(form.s + (4 * part + i) * 8, 8, miss);
  SetPoint<4>(lattice, part, form.s + 36 * part, 8, b, to);
}

HWY_INLINE void SetPoints(const LaneLattice& lattice, const LaneForm& form, const V* x, bool first, Chosen& to) {
  V b[8];
  if (lattice.size == 8) {
    for (int i = 0; i < 8; ++i) b[i] = Row(form.s + 8 * i, 8, x);
    return SetPoint<8>(lattice, 0, form.s, 8, b, to);
  }
  if (first) {
    for (int i = 0; i < 4; ++i) b[i] = Row(form.relaxed + 4 * i, 4, x);
    SetPoint<4>(lattice, 0, form.relaxed, 4, b, to);
  } else {
    SetHalf(lattice, 0, form, x, to);
  }
  SetHalf(lattice, 1, form, x, to);
}

// The change of one sign, or of two, that lowers the cost most.
HWY_INLINE void Flip(const LaneLattice& lattice, const LaneForm& form, const V* x, Chosen& to) {
  const D d;
  V miss[8], own[8];
  for (int j = 0; j < 8; ++j) miss[j] = hn::Sub(x[j], to.numbers[j]);
  for (int i = 0; i < 8; ++i) {
    const V pull = hn::MulAdd(to.numbers[i], hn::Set(d, form.s[9 * i]), Row(form.s + 8 * i, 8, miss));
    own[i] = hn::Mul(hn::Mul(to.numbers[i], pull), hn::Set(d, 4.0f));
  }
  V least = hn::Zero(d), one = hn::Set(d, -1.0f), other = one;  // columns
  for (int i = 0; i < 8; ++i) {
    const V at = hn::Set(d, static_cast<float>(i));
    if (!lattice.even_signs) {
      one = hn::IfThenElse(hn::Lt(own[i], least), at, one);
      least = hn::Min(own[i], least);
      continue;
    }
    for (int j = i + 1; j < 8; ++j) {
      const V together = hn::Mul(hn::Mul(to.numbers[i], to.numbers[j]), hn::Set(d, 8 * form.s[8 * i + j]));
      const V change = hn::Add(hn::Add(own[i], own[j]), together);
      const auto lower = hn::Lt(change, least);
      one = hn::IfThenElse(lower, at, one);
      other = hn::IfThenElse(lower, hn::Set(d, static_cast<float>(j)), other);
      least = hn::Min(change, least);
    }
  }
  for (int i = 0; i < 8; ++i) {
    const V at = hn::Set(d, static_cast<float>(i));
    const auto changes = hn::Or(hn::Eq(one, at), hn::Eq(other, at));
    to.signs[i] = hn::IfThenElse(changes, hn::Neg(to.signs[i]), to.signs[i]);
    to.numbers[i] = hn::IfThenElse(changes, hn::Neg(to.numbers[i]), to.numbers[i]);
  }
}

HWY_INLINE void Choose(const LaneLattice& lattice, const LaneForm& form, const V* x, Chosen& to) {
  V diagonal[8];
  for (int i = 0; i < 8; ++i) diagonal[i] = hn::Set(D(), form.s[9 * i]);
  SetSigns(lattice, x, diagonal, to.signs);
  for (int round = 0; round < kOctetRounds; ++round) {
    SetPoints(lattice, form, x, round == 0, to);
    for (int k = 0; k < kOctetFlips; ++k) Flip(lattice, form, x, to);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
