#include "workers/quantize/factor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/quantize/quantize_errors.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

absl::Status CheckMoment(std::span<const float> packed, int64_t n) {
  const float* at = packed.data();
  for (int64_t i = 0; i < n; ++i) {
    if (*at < 0) return MomentNotFiniteError(i, i);
    for (int64_t j = i; j < n; ++j, ++at) {
      if (!std::isfinite(*at)) return MomentNotFiniteError(i, j);
    }
  }
  return absl::OkStatus();
}

void ChooseOrder(std::span<const float> packed, const FactorOptions& options, FactorHead& factor) {
  const int64_t n = factor.inputs;
  factor.act_order = options.act_order;
  factor.diagonal.resize(n);
  factor.dead.resize(n);
  double sum = 0;
  int64_t live = 0;
  for (int64_t j = 0; j < n; ++j) {
    const float value = packed[PackedTriangleIndex(n, j, j)];
    factor.dead[j] = value == 0;
    factor.diagonal[j] = value == 0 ? 1.0f : value;
    sum += value;
    live += value != 0;
  }
  factor.added = options.damping * (live > 0 ? sum / static_cast<double>(live) : 1.0);
  factor.order.resize(n);
  std::iota(factor.order.begin(), factor.order.end(), 0);
  if (options.act_order) {
    std::stable_sort(factor.order.begin(), factor.order.end(), [&](int32_t a, int32_t b) {
      if (factor.dead[a] != factor.dead[b]) return factor.dead[a] == 0;
      return factor.diagonal[a] > factor.diagonal[b];
    });
  }
}

}  // namespace

absl::StatusOr<FactorHead> BeginFactor(std::span<const float> moment, int64_t inputs, const FactorOptions& options) {
  CHECK(moment.size() == static_cast<size_t>(PackedTriangleSize(inputs))) << inputs;
  ABSL_RETURN_IF_ERROR(CheckMoment(moment, inputs));
  FactorHead head;
  head.inputs = inputs;
  ChooseOrder(moment, options, head);
  return head;
}

absl::Status FinishFactor(const FactorHead& head, double damping, Device& device, std::span<float> moment) {
  const std::optional<int64_t> failed = device.rounding().Factorize(head, moment);
  return failed ? MomentNotPositiveError(head.order[*failed], damping) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<DeviceFactor>> BuildFactor(std::span<const float> moment, int64_t inputs,
                                                          const FactorOptions& options, Device& device) {
  ABSL_ASSIGN_OR_RETURN(FactorHead head, BeginFactor(moment, inputs, options));
  std::vector<float> triangle(moment.begin(), moment.end());
  ABSL_RETURN_IF_ERROR(FinishFactor(head, options.damping, device, triangle));
  return device.rounding().LoadFactor(std::move(head), [&](int64_t i, std::span<float> to) {
    std::copy_n(triangle.data() + PackedTriangleIndex(inputs, i, i), to.size(), to.data());
  });
}

}  // namespace bitwright::worker
