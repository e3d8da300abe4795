#include "workers/kernels/cuda/cuda_part.h"

namespace bitwright::worker::cuda {
namespace {

constexpr int kSolveSteps = 12;

}  // namespace

CudaPart::CudaPart(const Context& context, const CudaFactor& factor, const Matrix& weights)
    : context_(context),
      factor_(factor),
      moment_(MomentOf(context, factor)),
      weights_(WideOf(weights)),
      rows_(weights.rows),
      in_(weights.columns),
      w_(context, rows_ * factor.stride),
      q_(context, rows_ * factor.stride),
      r_(context, rows_ * factor.stride),
      e_(context, rows_ * factor.stride),
      delta_(context, rows_ * kPanel),
      j_(context, rows_) {
  Check(GatherRows(weights_, nullptr, factor.dead.data(), {w_.data(), factor.stride}, context.stream),
        "gathering weights");
}

void CudaPart::FollowValues() {
  Check(Differences(All(w_), All(q_), e_.data(), context_.stream), "taking errors");
  MultiplyMoment(e_, r_);
  Check(RowDots(All(e_), All(r_), j_.data(), context_.stream), "summing J");
}

void CudaPart::MultiplyMoment(const Array<float>& from, const Array<float>& to) const {
  const int64_t n = factor_.stride;
  Product(context_, 1, {from.data(), n}, {moment_, n}, n, 0, All(to));
}

void CudaPart::SweepBlocks(const std::function<cudaError_t(int64_t begin, int width)>& each) {
  const int64_t n = factor_.stride;
  for (int64_t begin = 0; begin < in_; begin += kPanel) {
    Check(each(begin, static_cast<int>(std::min<int64_t>(kPanel, in_ - begin))), "sweeping");
    const int64_t end = begin + kPanel, rest = n - end;
    if (rest <= 0) break;
    Product(context_, -1, {delta_.data(), kPanel}, {moment_ + begin * n + end, n}, kPanel, 1,
            {r_.data() + end, rows_, rest, n});
  }
}

bool CudaPart::AnyRose(const Array<double>& before) const {
  std::vector<double> old(static_cast<size_t>(rows_)), now(old.size());
  before.Read(old);
  j_.Read(now);
  return !std::ranges::equal(now, old, std::less_equal<>());
}

std::unique_ptr<Array<float>> CudaPart::Solve(Array<float>& b,
                                              const std::function<void(const float* x, float* to)>& apply) const {
  const int64_t unknowns = b.elements() / std::max<int64_t>(rows_, 1);
  auto x = std::make_unique<Array<float>>(context_, b.elements());
  const auto direction = CopyOf(b);
  const Array<float> applied(context_, b.elements());
  const Array<double> square(context_, rows_);
  x->Clear();
  const Wide residual{b.data(), rows_, unknowns, unknowns};
  Check(RowDots(residual, residual, square.data(), context_.stream), "summing squares");
  for (int k = 0; k < kSolveSteps; ++k) {
    apply(direction->data(), applied.data());
    Check(ConjugateStep({rows_, unknowns, x->data(), b.data(), direction->data(), applied.data(), square.data()},
                        context_.stream),
          "a step of conjugate gradients");
  }
  return x;
}

void CudaPart::ReadLosses(std::span<double> to) const {
  const Array<double> squared(context_, rows_);
  const auto loss = CopyOf(j_);
  Check(RowDots(All(e_), All(e_), squared.data(), context_.stream), "summing squares");
  Check(TakeOffDamping(rows_, factor_.head.added, squared.data(), loss->data(), context_.stream), "summing losses");
  loss->Read(to);
}

}  // namespace bitwright::worker::cuda
