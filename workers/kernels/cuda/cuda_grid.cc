#include "workers/kernels/cuda/cuda_grid.h"

#include <algorithm>

#include "workers/kernels/cuda/cuda_ldlq.h"
#include "workers/kernels/cuda/grid_refit.h"
#include "workers/kernels/cuda/grid_tries.h"
#include "workers/kernels/rounding_order.h"

namespace bitwright::worker::cuda {

CudaGridPart::CudaGridPart(const Context& context, const CudaFactor& factor, const Matrix& weights, const Grid& grid)
    : CudaPart(context, factor, weights),
      grid_(grid),
      lanes_(context, std::vector<LaneGrid>{LaneGrid(grid)}),
      codes_(context, rows_ * in_),
      scales_(context, rows_ * grid.scales(in_)),
      minima_(context, rows_ * grid.scales(in_)),
      sub_scales_(context, grid.two_levels() ? rows_ * grid.groups(in_) : 0),
      sub_minima_(context, grid.two_levels() ? rows_ * grid.groups(in_) : 0),
      scale_(context, rows_ * grid.groups(in_)),
      minimum_(context, rows_ * grid.groups(in_)),
      state_{.rows = rows_,
             .columns = in_,
             .stride = factor.stride,
             .group = grid.group,
             .super = grid.super,
             .groups = grid.groups(in_),
             .scale_count = grid.scales(in_),
             .values = lanes_.data(),
             .minima = grid.minima,
             .zero_points = grid.zero_points,
             .both_signs = grid.both_signs(),
             .least_scale = grid.least_scale,
             .most_scale = grid.most_scale,
             .most_minimum = grid.most_minimum,
             .scale_divisor = grid.scale_divisor,
             .scale_type = grid.scale_type,
             .w = w_.data(),
             .q = q_.data(),
             .codes = codes_.data(),
             .scales = scales_.data(),
             .minima_of = minima_.data(),
             .sub_scales = sub_scales_.data(),
             .sub_minima = sub_minima_.data(),
             .scale = scale_.data(),
             .minimum = minimum_.data()} {
  for (const Array<float>* array : {&scales_, &minima_, &sub_scales_, &sub_minima_}) array->Clear();
}

void CudaGridPart::FromScales() {
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  Check(ValuesOfCodes(state_, context_.stream), "decoding");
  FollowValues();
}

void CudaGridPart::FeedBack() {
  // E and R are free until values are followed.
  const float* by_position = w_.data();
  if (factor_.head.act_order) {
    Check(GatherRows(weights_, factor_.order.data(), factor_.dead.data(), {e_.data(), factor_.stride}, context_.stream),
          "gathering weights");
    by_position = e_.data();
  }
  const Array<double> loss(context_, rows_), squared(context_, rows_);
  const LdlqRows rows{by_position,   r_.data(),       delta_.data(), rows_, factor_.stride, loss.data(), squared.data(),
                      scale_.data(), minimum_.data(), grid_.group,   in_,   codes_.data()};
  ForPanels(context_, factor_, rows, r_.data(),
            [&](const LdlqPanel& panel) { return RoundPanelOnGrid(rows, panel, lanes_.data(), context_.stream); });
}

void CudaGridPart::FeedBackWhereBetter() {
  const auto before = CopyOf(j_);
  const auto nearest = CopyOf(codes_);
  FeedBack();
  FromScales();
  if (!AnyRose(*before)) return;
  Undo(*before, true, *nearest, codes_);
  FromScales();
}

void CudaGridPart::Sweep() {
  const GridTrials trials = SweepTries(grid_);
  SweepBlocks([&](int64_t begin, int width) {
    return SweepGrid(state_, trials, {begin, width, moment_, r_.data(), delta_.data()}, context_.stream);
  });
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  FollowValues();
}

void CudaGridPart::Refit() {
  if (grid_.given_scales) return;
  Array<float> residual(context_, rows_ * Unknowns(state_));
  Check(GatherScales(state_, r_.data(), residual.data(), context_.stream), "gathering scales");
  const auto step = Solve(residual, [&](const float* x, float* to) {
    Check(SpreadScales(state_, x, e_.data(), context_.stream), "spreading scales");
    MultiplyMoment(e_, r_);
    Check(GatherScales(state_, r_.data(), to, context_.stream), "gathering scales");
  });
  const auto before = CopyOf(j_);
  const auto scales = CopyOf(scales_), minima = CopyOf(minima_);
  Check(MoveScales(state_, step->data(), context_.stream), "moving scales");
  FromScales();
  Undo(*before, false, *scales, scales_);
  Undo(*before, false, *minima, minima_);
  FromScales();
}

void CudaGridPart::Round(const GridSteps& steps, std::span<const float> scales) {
  if (grid_.given_scales) {
    const Array<float> given(context_, scales);
    Copy(given.data(), given.elements(), scales_.data());
  } else {
    Check(StartRows(state_, StartTries(grid_), moment_, context_.stream), "searching scales");
  }
  Check(MultiplyScales(state_, context_.stream), "multiplying scales");
  Check(NearestCodes(state_, context_.stream), "choosing codes");
  FollowValues();
  InOrderOfSteps(
      steps, [this] { FeedBackWhereBetter(); }, [this] { Sweep(); }, [this] { Refit(); });
}

void CudaGridPart::Read(int64_t first, GridRounded& to) const {
  // Integers are f32 on the card.
  const auto read = [&](const Array<float>& from, auto& values) {
    if (values.empty()) return;
    std::vector<float> rows(static_cast<size_t>(from.elements()));
    from.Read(rows);
    using Value = std::remove_reference_t<decltype(values[0])>;
    std::ranges::transform(rows, values.begin() + first * (from.elements() / rows_),
                           [](float value) { return static_cast<Value>(value); });
  };
  codes_.Read(std::span(to.codes.codes).subspan(static_cast<size_t>(first * in_), static_cast<size_t>(rows_ * in_)));
  read(scales_, to.codes.scales);
  read(minima_, to.codes.minima);
  read(minima_, to.codes.zeros);
  read(sub_scales_, to.codes.sub_scales);
  read(sub_minima_, to.codes.sub_minima);
  ReadLosses(std::span(to.row_loss).subspan(static_cast<size_t>(first), static_cast<size_t>(rows_)));
}

}  // namespace bitwright::worker::cuda
