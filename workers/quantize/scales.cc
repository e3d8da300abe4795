#include "workers/quantize/scales.h"

#include <array>
#include <vector>

#include "workers/formats/stored_float.h"
#include "workers/quantize/row_lanes.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kFactors = 16;

// Factors of the absmax scale that are tried, from 1 downwards and then one above. The fewer the codes the further the
// best clip lies inside the extremes. Where each width's range begins was set by judgement, wide rather than tight.
std::array<float, kFactors> ClipFactors(int bits) {
  constexpr float kLowest[] = {0.40f, 0.50f, 0.62f, 0.74f, 0.82f, 0.88f, 0.92f};
  const float lowest = kLowest[bits - IntFormat::kMinBits];
  std::array<float, kFactors> factors;
  for (int64_t k = 0; k < kFactors - 1; ++k) {
    factors[k] = 1.0f - (1.0f - lowest) * static_cast<float>(k) / static_cast<float>(kFactors - 2);
  }
  factors[kFactors - 1] = 1.0f + (1.0f - lowest) / static_cast<float>(kFactors - 2);
  return factors;
}

}  // namespace

void GroupScales(ScaleMethod method, int bits, DType storage_type, const float* w, int64_t columns,
                 const float* weights, float* scales) {
  alignas(64) float start[kLaneRows];
  LaneAbsMax(w, columns, start);
  const float steps = static_cast<float>((1 << bits) - 1) / 2;
  for (float& value : start) value /= steps;
  if (method == ScaleMethod::kSearched) {
    const auto factors = ClipFactors(bits);
    SearchLaneScales(w, columns, weights, factors.data(), kFactors, {bits, storage_type}, start, scales);
  } else {
    for (int64_t r = 0; r < kLaneRows; ++r) scales[r] = RoundTo(storage_type, start[r]);
  }
  for (int64_t r = 0; r < kLaneRows; ++r) {
    if (scales[r] == 0) scales[r] = Epsilon(storage_type);
  }
}

}  // namespace bitwright::worker
