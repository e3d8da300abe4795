#include "workers/kernels/cuda/cuda_device.h"

#include <algorithm>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/kernels/cuda/attention.h"
#include "workers/kernels/cuda/cuda_cards.h"
#include "workers/kernels/cuda/cuda_experts.h"
#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/cuda/cuda_products.h"
#include "workers/kernels/cuda/cuda_rounding.h"
#include "workers/kernels/cuda/cuda_transfer.h"
#include "workers/kernels/cuda/elementwise.h"
#include "workers/kernels/cuda/logits.h"
#include "workers/kernels/cuda/moments.h"
#include "workers/kernels/cuda/norm.h"
#include "workers/kernels/cuda/rotary.h"
#include "workers/kernels/cuda/rows.h"

namespace bitwright::worker::cuda {
namespace {

NormShape ShapeOf(const NormParts& parts) {
  return {WideOf(parts.weight).data, WideOf(parts.bias).data, parts.eps, parts.centered};
}

AttentionShape ShapeOf(const AttentionParts& parts) {
  return {parts.scale, parts.soft_cap, static_cast<int>(parts.window), static_cast<int>(parts.reach)};
}

class CudaDevice final : public Device {
 public:
  CudaDevice(const Context& context, ThreadPool& pool)
      : context_(context), transfer_(context, pool), rounding_(MakeCudaRounding(context)) {}

  Rounding& rounding() override { return *rounding_; }

  std::unique_ptr<DeviceMemory> Allocate(DType type, int64_t elements) override {
    return std::make_unique<CudaMemory>(On(), type, elements);
  }

  void Write(std::span<const float> from, const Matrix& to) override { On(), transfer_.Write(from, WideOf(to)); }
  void Read(const Matrix& from, std::span<float> to) override { On(), transfer_.Read(WideOf(from), to); }
  void Load(const TensorView& tensor, int64_t first, const Matrix& to) override {
    On(), transfer_.Load(tensor, first, WideOf(to));
  }
  void LoadTransposed(const TensorView& tensor, const Matrix& to) override {
    On(), transfer_.LoadTransposed(tensor, WideOf(to));
  }
  void LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add,
                const Matrix& to) override {
    On(), transfer_.LoadRows(table, rows, factor, add, WideOf(to));
  }
  void Narrow(const Matrix& from, const Matrix& to) override {
    Check(NarrowToBf16(WideOf(from), NarrowOf(to), Stream()), "narrowing");
  }

  void Fill(float value, const Matrix& to) override { Check(cuda::Fill(value, WideOf(to), Stream()), "filling"); }
  void Copy(const Matrix& from, const Matrix& to) override {
    Check(cuda::Copy(WideOf(from), WideOf(to), Stream()), "copying");
  }
  void Add(float factor, const Matrix& from, const Matrix& to) override {
    Check(cuda::Add(factor, WideOf(from), WideOf(to), Stream()), "adding");
  }

  void Multiply(const Matrix& x, const Affine& affine, const Matrix& out) override {
    cuda::Multiply(On(), x, affine, out);
  }
  void Norm(const Heads& x, const NormParts& parts, const Heads& out) override {
    Check(cuda::Norm(HeadsOf(x), ShapeOf(parts), HeadsOf(out), Stream()), "a norm");
  }
  void Rotate(const RotaryParts& parts, bool backwards, const Heads& x) override {
    Check(cuda::Rotate(WideOf(parts.cos), WideOf(parts.sin), parts.rotary, parts.interleaved, backwards, HeadsOf(x),
                       Stream()),
          "rotary embedding");
  }
  void Attend(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& out) override {
    CheckHeads(q, v);
    Check(cuda::Attend(ShapeOf(parts), HeadsOf(q), HeadsOf(k), HeadsOf(v), HeadsOf(out), Stream()), "attention");
  }
  void Activate(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& out) override {
    Check(cuda::Activate(activation, WideOf(gate), WideOf(up), WideOf(out), Stream()), "an activation");
  }
  void Cap(float cap, const Matrix& x) override { Check(cuda::Cap(cap, WideOf(x), Stream()), "a soft cap"); }

  Routing Route(const Matrix& logits, int64_t chosen, bool normalized) override {
    return RouteRows(On(), logits, chosen, normalized);
  }
  void GatherRows(const Matrix& from, std::span<const int32_t> rows, const Matrix& to) override {
    const Array<int32_t> chosen(On(), rows);
    Check(cuda::GatherRows(WideOf(from), chosen.data(), WideOf(to), Stream()), "gathering rows");
  }
  void AddRows(const Matrix& from, std::span<const int32_t> rows, std::span<const float> weights,
               const Matrix& to) override {
    const Array<int32_t> chosen(On(), rows);
    const Array<float> factors(context_, weights);
    Check(cuda::AddRows(WideOf(from), chosen.data(), factors.data(), WideOf(to), Stream()), "adding rows");
  }
  void AddGated(float factor, const Matrix& gate, const Matrix& from, const Matrix& to) override {
    Check(cuda::AddGated(factor, WideOf(gate), WideOf(from), WideOf(to), Stream()), "adding what is gated");
  }

  void MultiplyBack(const Matrix& dy, const Matrix& w, float factor, const Matrix& dx) override {
    cuda::MultiplyBack(On(), dy, w, factor, dx);
  }
  void AddOuter(const Matrix& dy, const Matrix& x, float factor, const Matrix& dw) override {
    cuda::AddOuter(On(), dy, x, factor, dw);
  }
  void NormBack(const Heads& x, const NormParts& parts, const Heads& dy, const Heads& dx,
                const NormGradients& gradients) override {
    const Array<NormStatistics> statistics(On(), x.x.rows * x.count);
    Check(cuda::NormBack(HeadsOf(x), ShapeOf(parts), HeadsOf(dy), HeadsOf(dx), statistics.data(), Stream()),
          "a norm, backwards");
    if (!gradients.weight.has_value() && !gradients.bias.has_value()) return;
    const Array<double> partial(context_, 2 * OwnParts(x.x.rows) * x.dim);
    Check(NormBackOwn(HeadsOf(x), statistics.data(), HeadsOf(dy), partial.data(), WideOf(gradients.weight).data,
                      WideOf(gradients.bias).data, Stream()),
          "a norm's own gradients");
  }
  void AttendBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& dout,
                  const Heads& dq, const Heads& dk, const Heads& dv) override {
    CheckHeads(q, v);
    const Array<QuerySums> sums(On(), q.x.rows * q.count);
    Check(cuda::AttendBack(ShapeOf(parts), HeadsOf(q), HeadsOf(k), HeadsOf(v), HeadsOf(dout), sums.data(), HeadsOf(dq),
                           HeadsOf(dk), HeadsOf(dv), Stream()),
          "attention, backwards");
  }
  void ActivateBack(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& dout,
                    const Matrix& dgate, const Matrix& dup) override {
    Check(cuda::ActivateBack(activation, WideOf(gate), WideOf(up), WideOf(dout), WideOf(dgate), WideOf(dup), Stream()),
          "an activation, backwards");
  }
  void CapBack(float cap, const Matrix& capped, const Matrix& d) override {
    Check(cuda::CapBack(cap, WideOf(capped), WideOf(d), Stream()), "a soft cap, backwards");
  }
  void AddGatedBack(float factor, const Matrix& gate, const Matrix& from, const Matrix& dto, const Matrix& dgate,
                    const Matrix& dfrom) override {
    Check(cuda::AddGatedBack(factor, WideOf(gate), WideOf(from), WideOf(dto), WideOf(dgate), WideOf(dfrom), Stream()),
          "a gate, backwards");
  }
  void RouteBack(const Matrix& logits, const Routing& routing, bool normalized,
                 std::span<const std::vector<float>> dweights, const Matrix& dlogits) override {
    RouteRowsBack(On(), logits, routing, normalized, dweights, dlogits);
  }
  void DotRows(const Matrix& a, const Matrix& b, std::span<const int32_t> rows, std::span<float> results) override {
    const Array<int32_t> chosen(On(), rows);
    const Array<float> dots(context_, a.rows);
    Check(cuda::DotRows(WideOf(a), WideOf(b), chosen.data(), dots.data(), Stream()), "products of rows");
    dots.Read(results.first(static_cast<size_t>(a.rows)));
  }
  void ScaleRows(std::span<const float> factors, const Matrix& x) override {
    const Array<float> on_card(On(), factors);
    Check(cuda::ScaleRows(on_card.data(), WideOf(x), Stream()), "scaling rows");
  }

  void Sample(const Matrix& logits, std::span<const double> uniforms, std::span<int32_t> labels) override {
    const Array<double> numbers(On(), uniforms);
    const Array<int32_t> drawn(context_, logits.rows);
    Check(cuda::Sample(WideOf(logits), numbers.data(), drawn.data(), Stream()), "sampling");
    drawn.Read(labels.first(static_cast<size_t>(logits.rows)));
  }
  void LossBack(const Matrix& logits, std::span<const int32_t> labels, std::span<double> losses) override {
    for (const int32_t label : labels) CHECK(label < logits.columns) << "label " << label << " of " << logits.columns;
    const Array<int32_t> on_card(On(), labels);
    const Array<double> terms(context_, logits.rows);
    Check(cuda::LossBack(WideOf(logits), on_card.data(), terms.data(), Stream()), "a loss, backwards");
    terms.Read(losses.first(static_cast<size_t>(logits.rows)));
  }
  void Compare(const Matrix& base, const Matrix& other, std::span<const int32_t> targets,
               std::span<TokenComparison> results) override {
    for (const int32_t target : targets) {
      CHECK(target >= 0 && target < base.columns) << "target " << target << " of " << base.columns;
    }
    const Array<int32_t> on_card(On(), targets);
    const Array<RowComparison> compared(context_, base.rows);
    Check(cuda::Compare(WideOf(base), WideOf(other), on_card.data(), compared.data(), Stream()), "comparing logits");
    std::vector<RowComparison> rows(static_cast<size_t>(base.rows));
    compared.Read(rows);
    for (size_t r = 0; r < rows.size(); ++r) {
      results[r] = {rows[r].nll_base, rows[r].nll_other, rows[r].kl, rows[r].p_delta,
                    rows[r].top_base == rows[r].top_other};
    }
  }

  void AddMoment(const Matrix& x, const Matrix& sums) override { cuda::AddMoment(On(), x, sums); }
  void AddSquares(const Matrix& x, const Matrix& sums) override {
    const Array<double> partial(On(), SquareParts(x.rows) * x.columns);
    Check(cuda::AddSquares(WideOf(x), partial.data(), WideOf(sums).data, Stream()), "sums of squares");
  }
  void ReadTriangle(const Matrix& from, float factor, std::span<float> to) override {
    On(), transfer_.ReadTriangle(WideOf(from), factor, to);
  }

 private:
  // A thread's calls go to the device that it chose last.
  const Context& On() const {
    Check(cudaSetDevice(context_.ordinal), "choosing the device");
    return context_;
  }
  cudaStream_t Stream() const { return On().stream; }

  static void CheckHeads(const Heads& q, const Heads& v) {
    CHECK(q.dim <= kMostHeadDim && v.dim <= kMostHeadDim) << "a head of " << std::max(q.dim, v.dim) << " elements";
  }

  const Context& context_;
  Transfer transfer_;
  const std::unique_ptr<Rounding> rounding_;
};

}  // namespace
}  // namespace bitwright::worker::cuda

namespace bitwright::worker {

absl::StatusOr<std::unique_ptr<Device>> MakeCudaDevice(int ordinal, ThreadPool& pool) {
  ABSL_ASSIGN_OR_RETURN(const cuda::Context* context, cuda::ContextOf(ordinal));
  return std::make_unique<cuda::CudaDevice>(*context, pool);
}

}  // namespace bitwright::worker
