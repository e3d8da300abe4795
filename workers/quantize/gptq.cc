#include "workers/quantize/gptq.h"

#include <algorithm>
#include <cmath>

#include "proto/base/log.h"
#include "workers/kernels/gemm.h"
#include "workers/quantize/row_gather.h"
#include "workers/quantize/row_lanes.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;
constexpr int64_t kBlock = kLaneBlock;

// 64 rows of one linear on their way through LDLQ. Scratch of one thread; arrays are [in, 64] unless stated.
class RowPiece {
 public:
  explicit RowPiece(const Factor& factor)
      : factor_(factor),
        in_(factor.inputs),
        permuted_(in_ * kRows),
        natural_(factor.act_order ? in_ * kRows : 0),
        error_(in_ * kRows),
        codes_(in_ * kRows),
        scales_(in_ * kRows / 32 + kRows),
        sum_(kBlock * kRows),
        spread_(kBlock * kRows),
        standing_(kBlock * kRows),
        importance_(in_) {}

  void Load(const float* weights, int64_t out, int64_t first) {
    const int32_t* order = factor_.act_order ? factor_.order.data() : nullptr;
    GatherRows(weights, out, in_, first, order, factor_.dead.data(), permuted_.data());
    if (factor_.act_order) {
      GatherRows(weights, out, in_, first, nullptr, factor_.dead.data(), natural_.data());
    }
  }

  // Afterwards codes(), scales() [groups, 64] and loss() [64] hold the result.
  void Round(IntFormat format, const GptqOptions& options);

  const int8_t* codes() const { return codes_.data(); }
  const float* scales() const { return scales_.data(); }
  const double* loss() const { return loss_; }

 private:
  void Weigh();
  void StaticScales(IntFormat format, const GptqOptions& options);
  void RoundBlock(int64_t begin, IntFormat format, const GptqOptions& options, bool dynamic);

  const Factor& factor_;
  const int64_t in_;
  Buffer<float> permuted_, natural_, error_;
  Buffer<int8_t> codes_;
  Buffer<float> scales_;                   // [groups, 64]
  Buffer<float> sum_, spread_, standing_;  // [128, 64]
  Buffer<float> importance_;               // [in] weight of an error in the search for scales, by column of W
  double loss_[kRows];
  double squared_[kRows];
};

void RowPiece::Weigh() {
  for (int64_t j = 0; j < in_; ++j) {
    const int32_t column = factor_.order[j];
    importance_[column] = std::sqrt(factor_.diagonal[column] * factor_.d[j]);
  }
}

void RowPiece::StaticScales(IntFormat format, const GptqOptions& options) {
  const float* w = factor_.act_order ? natural_.data() : permuted_.data();
  const int64_t width = format.GroupWidth(in_);
  for (int64_t g = 0; g < format.Groups(in_); ++g) {
    GroupScales(options.scales, format.bits, options.storage_type, w + g * width * kRows, width,
                importance_.data() + g * width, scales_.data() + g * kRows);
  }
}

void RowPiece::RoundBlock(int64_t begin, IntFormat format, const GptqOptions& options, bool dynamic) {
  const int64_t width = std::min(kBlock, in_ - begin);
  if (begin == 0) {
    std::fill_n(sum_.data(), width * kRows, 0.0f);
  } else {  // a = Eᵀ of all earlier columns against their part of M
    GemmF32(true, false, width, kRows, begin, 1.0f, factor_.m.data() + begin, in_, error_.data(), kRows, 0.0f,
            sum_.data(), kRows);
  }
  const int64_t group = format.GroupWidth(in_);
  const float* column_scales[kBlock];
  for (int64_t j = 0; j < width; ++j) {
    column_scales[j] = scales_.data() + factor_.order[begin + j] / group * kRows;
  }
  const LdlqBlock block{permuted_.data() + begin * kRows,
                        sum_.data(),
                        error_.data() + begin * kRows,
                        codes_.data() + begin * kRows,
                        factor_.blocks.data() + begin * kBlock,
                        factor_.d.data() + begin,
                        column_scales,
                        loss_,
                        squared_};
  const LaneGrid grid{format.bits, options.storage_type};
  if (!dynamic) return RoundColumns(block, 0, width, grid);
  for (int64_t j = 0; j < width; j += group) {
    AddEarlierErrors(block, j, j + group);
    StandingValues(block, j, j + group, spread_.data(), standing_.data());
    GroupScales(options.scales, format.bits, options.storage_type, standing_.data() + j * kRows, group,
                importance_.data() + begin + j, scales_.data() + (begin + j) / group * kRows);
    RoundColumns(block, j, j + group, grid);
  }
}

void RowPiece::Round(IntFormat format, const GptqOptions& options) {
  // A group that covers its whole row is reached before any error has spread: dynamic would be static.
  const bool dynamic = !options.static_groups && !factor_.act_order && format.group_size != IntFormat::kChannel;
  Weigh();
  if (!dynamic) StaticScales(format, options);
  std::fill_n(loss_, kRows, 0.0);
  std::fill_n(squared_, kRows, 0.0);
  for (int64_t begin = 0; begin < in_; begin += kBlock) RoundBlock(begin, format, options, dynamic);
  for (int64_t r = 0; r < kRows; ++r) loss_[r] -= factor_.added * squared_[r];
}

void CheckArguments(const Factor& factor, std::span<const float> weights, int64_t out, IntFormat format) {
  CHECK(format.Fits(factor.inputs) && weights.size() == static_cast<size_t>(out * factor.inputs))
      << FormatName(format) << " [" << out << ", " << factor.inputs << "], " << weights.size() << " weights";
}

}  // namespace

RoundedLinear GptqRound(const Factor& factor, std::span<const float> weights, int64_t out, IntFormat format,
                        const GptqOptions& options, ThreadPool& pool) {
  CheckArguments(factor, weights, out, format);
  const int64_t in = factor.inputs, groups = format.Groups(in);
  RoundedLinear result;
  result.codes.resize(static_cast<size_t>(out * in));
  result.scales.resize(static_cast<size_t>(out * groups));
  result.row_loss.resize(static_cast<size_t>(out));
  pool.ParallelFor((out + kRows - 1) / kRows, [&](int64_t index, int) {
    const int64_t first = index * kRows;
    RowPiece piece(factor);
    piece.Load(weights.data(), out, first);
    piece.Round(format, options);
    ScatterCodes(piece.codes(), out, in, first, factor.order.data(), result.codes.data());
    ScatterScales(piece.scales(), out, groups, first, result.scales.data());
    std::copy_n(piece.loss(), std::min(kRows, out - first), result.row_loss.begin() + first);
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

std::vector<double> GptqRowLosses(const Factor& factor, std::span<const float> weights, int64_t out,
                                  std::span<const IntFormat> formats, const GptqOptions& options, ThreadPool& pool) {
  for (const IntFormat format : formats) CheckArguments(factor, weights, out, format);
  const int64_t count = static_cast<int64_t>(formats.size());
  std::vector<double> row_loss(static_cast<size_t>(count * out));
  pool.ParallelFor((out + kRows - 1) / kRows, [&](int64_t index, int) {
    const int64_t first = index * kRows;
    RowPiece piece(factor);
    piece.Load(weights.data(), out, first);
    for (int64_t f = 0; f < count; ++f) {
      piece.Round(formats[f], options);
      std::copy_n(piece.loss(), std::min(kRows, out - first), row_loss.begin() + f * out + first);
    }
  });
  return row_loss;
}

}  // namespace bitwright::worker
