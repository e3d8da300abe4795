#include "workers/quantize/rtn.h"

#include <vector>

#include "proto/base/log.h"
#include "workers/quantize/row_gather.h"
#include "workers/quantize/row_lanes.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

RoundedLinear RoundToNearest(std::span<const float> weights, int64_t out, int64_t in, IntFormat format,
                             std::span<const float> diagonal, const RtnOptions& options, ThreadPool& pool) {
  CHECK(format.Fits(in) && weights.size() == static_cast<size_t>(out * in)) << FormatName(format) << ", " << in;
  const int64_t groups = format.Groups(in), width = format.GroupWidth(in);
  std::vector<float> ones;
  if (diagonal.empty()) ones.assign(static_cast<size_t>(in), 1.0f);
  const float* importance = diagonal.empty() ? ones.data() : diagonal.data();
  RoundedLinear result;
  result.codes.resize(static_cast<size_t>(out * in));
  result.scales.resize(static_cast<size_t>(out * groups));
  const int64_t pieces = (out + kLaneRows - 1) / kLaneRows;
  pool.ParallelFor(pieces, [&](int64_t piece, int) {
    Buffer<float> w(in * kLaneRows), scales(groups * kLaneRows);
    Buffer<int8_t> codes(in * kLaneRows);
    const int64_t first = piece * kLaneRows;
    GatherRows(weights.data(), out, in, first, nullptr, nullptr, w.data());
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t at = g * width * kLaneRows;
      float* scale = scales.data() + g * kLaneRows;
      GroupScales(options.scales, format.bits, options.storage_type, w.data() + at, width, importance + g * width,
                  scale);
      RoundLanesToNearest(w.data() + at, width, scale, format.bits, options.quotient_type, codes.data() + at);
    }
    ScatterCodes(codes.data(), out, in, first, nullptr, result.codes.data());
    ScatterScales(scales.data(), out, groups, first, result.scales.data());
  });
  return result;
}

}  // namespace bitwright::worker
