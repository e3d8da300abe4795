#include "workers/kernels/cuda/cuda_lattice.h"

#include <algorithm>

#include "workers/kernels/cuda/cuda_ldlq.h"
#include "workers/kernels/cuda/elementwise.h"
#include "workers/kernels/cuda/lattice_panel.h"
#include "workers/kernels/cuda/lattice_start.h"
#include "workers/kernels/cuda/lattice_sweep.h"
#include "workers/kernels/octet_form.h"
#include "workers/kernels/rounding_order.h"

namespace bitwright::worker::cuda {
namespace {

constexpr int64_t kSquare = Lattice::kSigns * Lattice::kSigns;

// The squares of eight columns on a matrix' diagonal, [octets, 8, 8].
std::vector<float> Diagonal(const Context& context, const float* m, const CudaFactor& factor) {
  const int64_t n = factor.head.inputs;
  const Array<float> blocks(context, n * Lattice::kSigns);
  Check(DiagonalOctets(m, factor.stride, n, blocks.data(), context.stream), "taking a diagonal");
  std::vector<float> values(static_cast<size_t>(blocks.elements()));
  blocks.Read(values);
  return values;
}

// square(octet, to) gives S of each octet.
template <typename Square>
std::vector<OctetForms> FormsOf(int64_t octets, const Square& square) {
  std::vector<OctetForms> forms(static_cast<size_t>(octets));
  for (int64_t k = 0; k < octets; ++k) {
    double s[kSquare] = {};
    square(k, s);
    const OctetForm form(s);
    OctetForms& to = forms[static_cast<size_t>(k)];
    std::ranges::copy(form.s, to.s);
    std::ranges::copy(form.inverse, to.inverse);
    std::ranges::copy(form.relaxed, to.relaxed);
  }
  return forms;
}

std::vector<OctetForms> SweptForms(const Context& context, const CudaFactor& factor) {
  const std::vector<float> blocks = Diagonal(context, MomentOf(context, factor), factor);
  return FormsOf(factor.head.inputs / Lattice::kSigns,
                 [&](int64_t k, double* s) { std::copy_n(blocks.begin() + k * kSquare, kSquare, s); });
}

std::vector<OctetForms> FedForms(const Context& context, const CudaFactor& factor) {
  const std::vector<float> blocks = Diagonal(context, factor.m.data(), factor);
  std::vector<float> d(static_cast<size_t>(factor.d.elements()));
  factor.d.Read(d);
  constexpr int64_t kOctet = Lattice::kSigns;
  return FormsOf(factor.head.inputs / kOctet, [&](int64_t octet, double* s) {
    const float* m = blocks.data() + octet * kSquare;
    for (int64_t i = 0; i < kOctet; ++i) {
      for (int64_t j = 0; j < kOctet; ++j) {
        for (int64_t k = std::max(i, j); k < kOctet; ++k) {
          s[kOctet * i + j] +=
              double{m[kOctet * i + k]} * d[static_cast<size_t>(octet * kOctet + k)] * m[kOctet * j + k];
        }
      }
    }
  });
}

}  // namespace

CudaLattice::CudaLattice(const Context& context, const CudaFactor& factor, const CudaFactor& of_columns,
                         const Lattice& of)
    : lattice(of),
      in_order(of_columns),
      numbers(context, of.points),
      swept(context, SweptForms(context, factor)),
      fed(context, FedForms(context, of_columns)) {}

CudaLatticePart::CudaLatticePart(const Context& context, const CudaFactor& factor, const Matrix& weights,
                                 const CudaLattice& lattice)
    : CudaPart(context, factor, weights),
      on_(lattice),
      points_(context, rows_ * (in_ / on_.lattice.size)),
      signs_(context, rows_ * (in_ / Lattice::kSigns)),
      supers_(context, rows_ * on_.lattice.supers(in_)),
      sub_scales_(context, rows_ * on_.lattice.groups(in_)),
      scale_(context, rows_ * on_.lattice.groups(in_)),
      state_{.rows = rows_,
             .columns = in_,
             .stride = factor.stride,
             .group = on_.lattice.group,
             .super = on_.lattice.super,
             .most_scale = on_.lattice.most_scale,
             .first_scale = on_.lattice.first_scale,
             .scale_step = on_.lattice.scale_step,
             .lattice = {on_.numbers.data(), static_cast<int>(on_.lattice.count()), static_cast<int>(on_.lattice.size),
                         static_cast<float>(*std::ranges::max_element(on_.lattice.points)), on_.lattice.even_signs},
             .w = w_.data(),
             .q = q_.data(),
             .points = points_.data(),
             .signs = signs_.data(),
             .supers = supers_.data(),
             .sub_scales = sub_scales_.data(),
             .scale = scale_.data()} {}

void CudaLatticePart::FromScales() {
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  Check(ValuesOfCodes(state_, q_.data(), context_.stream), "decoding");
  FollowValues();
}

void CudaLatticePart::FeedBackWhereBetter() {
  const auto before = CopyOf(j_);
  const auto points = CopyOf(points_);
  const auto signs = CopyOf(signs_);
  const Array<double> loss(context_, rows_), squared(context_, rows_);
  // R is free until values are followed.
  LdlqRows rows{};
  rows.errors = delta_.data();
  rows.rows = rows_;
  rows.stride = factor_.stride;
  rows.loss = loss.data();
  rows.squared = squared.data();
  ForPanels(context_, on_.in_order, rows, r_.data(), [&](const LdlqPanel& panel) {
    return RoundPanelOnLattice(state_, panel, on_.fed.data(), r_.data(), delta_.data(), context_.stream);
  });
  FollowValues();
  if (!AnyRose(*before)) return;
  Undo(*before, true, *points, points_);
  Undo(*before, true, *signs, signs_);
  FromScales();
}

void CudaLatticePart::Sweep() {
  SweepBlocks([&](int64_t begin, int width) {
    return SweepLattice(state_, on_.swept.data(), {begin, width, moment_, r_.data(), delta_.data()}, context_.stream);
  });
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  FollowValues();
}

void CudaLatticePart::Refit() {
  const Array<float> units(context_, q_.elements());
  const auto supers = CopyOf(supers_);
  Check(Fill(1, {supers_.data(), 1, supers_.elements(), supers_.elements()}, context_.stream), "filling");
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  Check(ValuesOfCodes(state_, units.data(), context_.stream), "decoding");
  Copy(supers->data(), supers->elements(), supers_.data());
  Array<float> residual(context_, supers_.elements());
  Check(GatherSupers(state_, units.data(), r_.data(), residual.data(), context_.stream), "gathering scales");
  const auto step = Solve(residual, [&](const float* x, float* to) {
    Check(SpreadSupers(state_, units.data(), x, e_.data(), context_.stream), "spreading scales");
    MultiplyMoment(e_, r_);
    Check(GatherSupers(state_, units.data(), r_.data(), to, context_.stream), "gathering scales");
  });
  const auto before = CopyOf(j_);
  Check(MoveSupers(state_, step->data(), context_.stream), "moving scales");
  FromScales();
  Undo(*before, false, *supers, supers_);
  FromScales();
}

void CudaLatticePart::Round(const GridSteps& steps) {
  q_.Clear();
  Check(StartRows(state_, moment_, context_.stream), "searching scales");
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  FollowValues();
  InOrderOfSteps(
      steps, [this] { FeedBackWhereBetter(); }, [this] { Sweep(); }, [this] { Refit(); });
}

void CudaLatticePart::Read(int64_t first, LatticeRounded& to) const {
  const auto part = [&](auto& values, int64_t elements) {
    return std::span(values).subspan(static_cast<size_t>(first * (elements / rows_)), static_cast<size_t>(elements));
  };
  points_.Read(part(to.codes.points, points_.elements()));
  signs_.Read(part(to.codes.signs, signs_.elements()));
  supers_.Read(part(to.codes.scales, supers_.elements()));
  std::vector<float> sub_scales(static_cast<size_t>(sub_scales_.elements()));
  sub_scales_.Read(sub_scales);
  std::ranges::transform(sub_scales, part(to.codes.sub_scales, sub_scales_.elements()).begin(),
                         [](float s) { return static_cast<uint8_t>(s); });
  ReadLosses(part(to.row_loss, rows_));
}

}  // namespace bitwright::worker::cuda
