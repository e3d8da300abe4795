#include "workers/quantize/linear_packing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/formats/block_packing.h"
#include "workers/formats/block_values.h"
#include "workers/formats/float_packing.h"
#include "workers/formats/lattice_packing.h"
#include "workers/kernels/pack_codes.h"
#include "workers/kernels/stored_scale.h"
#include "workers/quantize/quantize_errors.h"
#include "workers/tensor/float16.h"
#include "workers/tensor/float8.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
Bytes BytesOf(std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

// Numbers of `type` as its bytes.
Bytes Narrow(std::span<const float> values, DType type) {
  Bytes bytes(values.size() * static_cast<size_t>(ByteSize(type)));
  FromFloat(values, type, bytes.data());
  return bytes;
}

float NumberAt(const TensorView& view, int64_t index) {
  float value;
  ToFloat(view, index, 1, &value);
  return value;
}

Bytes PackedCodes(int bits, int64_t rows, int64_t columns, std::span<const int8_t> codes) {
  std::vector<uint32_t> words(static_cast<size_t>(rows * PackedWords(bits, columns)));
  PackCodes(bits, rows, columns, codes, words);
  return BytesOf(std::span<const uint32_t>(words));
}

constexpr int64_t kShapeElements = 2;

Bytes ShapeOf(const LinearSpec& linear) {
  const int64_t shape[kShapeElements] = {linear.out, linear.in};
  return BytesOf(std::span<const int64_t>(shape));
}

std::vector<Bytes> PackIntegers(const LinearSpec& linear, IntFormat format, DType type, const RoundedLinear& rounded) {
  if (format.plain_codes()) return {BytesOf(std::span<const int8_t>(rounded.codes)), Narrow(rounded.scales, type)};
  return {PackedCodes(format.bits, linear.out, linear.in, rounded.codes),
          Narrow(rounded.scales, format.ScaleDType(type)), ShapeOf(linear)};
}

// zeros [out, groups] as words [⌈out·bits/32⌉, groups]: what PackCodes makes of a group's column stands in a column.
Bytes PackZeros(int bits, int64_t out, int64_t groups, std::span<const int8_t> zeros) {
  const int64_t words = PackedWords(bits, out);
  std::vector<int8_t> by_group(zeros.size());
  for (int64_t r = 0; r < out; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      by_group[static_cast<size_t>(g * out + r)] = zeros[static_cast<size_t>(r * groups + g)];
    }
  }
  std::vector<uint32_t> packed(static_cast<size_t>(groups * words)), turned(packed.size());
  PackCodes(bits, groups, out, by_group, packed);
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t w = 0; w < words; ++w) {
      turned[static_cast<size_t>(w * groups + g)] = packed[static_cast<size_t>(g * words + w)];
    }
  }
  return BytesOf(std::span<const uint32_t>(turned));
}

int8_t ZeroOf(int bits, const std::byte* words, int64_t groups, int64_t row, int64_t group) {
  const int64_t at = row * bits;  // of 4 or 8 bits none crosses a word
  uint32_t word;
  std::memcpy(&word, words + 4 * (at / 32 * groups + group), sizeof word);
  const auto code = static_cast<int>(word >> (at % 32)) & ((1 << bits) - 1);
  return static_cast<int8_t>(code - (1 << (bits - 1)));
}

std::vector<Bytes> PackAsymmetric(const LinearSpec& linear, IntFormat format, DType type, const GridCodes& codes) {
  std::vector<int8_t> signed_codes;
  signed_codes.reserve(codes.codes.size());
  for (const uint8_t code : codes.codes) signed_codes.push_back(static_cast<int8_t>(code - (1 << (format.bits - 1))));
  return {PackedCodes(format.bits, linear.out, linear.in, signed_codes), Narrow(codes.scales, format.ScaleDType(type)),
          PackZeros(format.bits, linear.out, format.Groups(linear.in), codes.zeros), ShapeOf(linear)};
}

// The scales that are stored, of those that rows repeat.
Bytes PackScales(const LinearSpec& linear, FloatFormat format, DType type, const FloatRounded& rounded) {
  const std::vector<float>& scales = rounded.codes.scales;
  const auto groups = std::ssize(scales) / linear.out;
  std::vector<float> stored;
  std::vector<uint8_t> bytes;
  switch (SpecOf(format).scaling) {
    case FloatScaling::kPowers:
      for (const float scale : scales) bytes.push_back(E8M0OfExact(scale));
      return BytesOf(std::span<const uint8_t>(bytes));
    case FloatScaling::kTwoLevels:
      for (const float scale : scales) {
        bytes.push_back(E4M3OfExact(StoredScale(ScaleType::kE4M3, double{scale} * rounded.divisor)));
      }
      return BytesOf(std::span<const uint8_t>(bytes));
    case FloatScaling::kTensor:
      stored.push_back(scales.front());
      break;
    case FloatScaling::kChannel:
      for (int64_t r = 0; r < linear.out; ++r) stored.push_back(scales[static_cast<size_t>(r * groups)]);
      break;
    case FloatScaling::kBlock: {
      const int64_t per_run = std::max<int64_t>(kScaleBlock / (linear.in / groups), 1);
      for (int64_t r = 0; r < linear.out; r += kScaleBlock) {
        for (int64_t g = 0; g < groups; g += per_run) stored.push_back(scales[static_cast<size_t>(r * groups + g)]);
      }
      break;
    }
  }
  return Narrow(stored, type);
}

std::vector<Bytes> PackFloatLinear(const LinearSpec& linear, FloatFormat format, DType type,
                                   const FloatRounded& rounded) {
  const auto in = static_cast<size_t>(linear.in), row_bytes = in * static_cast<size_t>(SpecOf(format).bits) / 8;
  const std::span<const uint8_t> codes = rounded.codes.codes;
  std::vector<uint8_t> packed(static_cast<size_t>(linear.out) * row_bytes);
  for (size_t r = 0; r < static_cast<size_t>(linear.out); ++r) {
    PackFloats(format, codes.subspan(r * in, in), std::span(packed).subspan(r * row_bytes, row_bytes));
  }
  std::vector<Bytes> all = {BytesOf(std::span<const uint8_t>(packed)), PackScales(linear, format, type, rounded)};
  if (SpecOf(format).scaling == FloatScaling::kTwoLevels) {
    all.push_back(BytesOf(std::span<const float>(&rounded.divisor, 1)));
  }
  return all;
}

std::vector<Bytes> PackCodes(const LinearSpec& linear, CodebookFormat format, DType type,
                             const CodebookRounded& rounded) {
  const auto in = static_cast<size_t>(linear.in), row_bytes = static_cast<size_t>(format.RowBytes(linear.in));
  const auto rows = static_cast<size_t>(linear.out), groups = static_cast<size_t>(format.Groups(linear.in));
  const std::span<const uint8_t> codes = rounded.codes.codes;
  std::vector<uint8_t> packed(rows * row_bytes);
  for (size_t r = 0; r < rows; ++r) {
    PackCodebook(format, codes.subspan(r * in, in), std::span(packed).subspan(r * row_bytes, row_bytes));
  }
  // Those of a row are repeated for each group of the grid.
  std::vector<float> scales;
  const size_t repeats = rounded.codes.scales.size() / (rows * groups);
  for (size_t s = 0; s < rows * groups; ++s) scales.push_back(rounded.codes.scales[s * repeats]);
  std::vector<Bytes> all = {BytesOf(std::span<const uint8_t>(packed)), Narrow(scales, format.ScaleDType(type))};
  if (format.type == CodebookFormat::Type::kKMeans) all.push_back(BytesOf(std::span<const float>(rounded.table)));
  return all;
}

// `blocks` has room for each row's RowBytes.
void PackRows(BlockType type, int64_t columns, QuantizedLinear& quantized, std::span<uint8_t> blocks) {
  const auto row_bytes = static_cast<size_t>(SpecOf(type).RowBytes(columns));
  for (size_t r = 0; r < blocks.size() / row_bytes; ++r) {
    const std::span to = blocks.subspan(r * row_bytes, row_bytes);
    const auto row = static_cast<int64_t>(r);
    if (OnLattice(type)) {
      PackBlocks(type, RowOf(std::get<LatticeRounded>(quantized.parts).codes, LatticeOf(type), columns, row), to);
    } else {
      PackBlocks(type, RowOf(std::get<GridRounded>(quantized.parts).codes, GridOf(type), columns, row), to);
    }
  }
}

}  // namespace

std::vector<std::vector<std::byte>> PackLinear(const LinearSpec& linear, const Format& format, DType type,
                                               QuantizedLinear& quantized) {
  if (const auto* integers = std::get_if<IntFormat>(&format)) {
    if (!integers->asymmetric) return PackIntegers(linear, *integers, type, std::get<RoundedLinear>(quantized.parts));
    return PackAsymmetric(linear, *integers, type, std::get<GridRounded>(quantized.parts).codes);
  }
  if (const auto* floats = std::get_if<FloatFormat>(&format)) {
    return PackFloatLinear(linear, *floats, type, std::get<FloatRounded>(quantized.parts));
  }
  if (const auto* codebook = std::get_if<CodebookFormat>(&format)) {
    return PackCodes(linear, *codebook, type, std::get<CodebookRounded>(quantized.parts));
  }
  if (const auto* block = std::get_if<BlockType>(&format)) {
    std::vector<uint8_t> blocks(static_cast<size_t>(linear.out * SpecOf(*block).RowBytes(linear.in)));
    PackRows(*block, linear.in, quantized, blocks);
    return {BytesOf(std::span<const uint8_t>(blocks))};
  }
  return {Narrow(std::get<PlainLinear>(quantized.parts).values, type)};
}

PackedLinear::PackedLinear(const LinearSpec& linear, const Format& format, const SafetensorsFile& file)
    : in_(linear.in),
      format_(format),
      file_(&file),
      stored_(StoredTensors(format, linear.out, linear.in, DType::kF32)) {}

absl::StatusOr<PackedLinear> PackedLinear::Find(const LinearSpec& linear, const Format& format,
                                                const SafetensorsFile& file) {
  if (!Fits(format, linear.in)) return WeightsDamagedError(linear.name, "shapes and format do not agree");
  PackedLinear packed(linear, format, file);
  for (const StoredTensor& stored : packed.stored_) {
    ABSL_ASSIGN_OR_RETURN(const TensorView view, file.Find(linear.name + std::string(stored.suffix)));
    // Those of the model's dtype may have any that weights have.
    const bool typed = view.dtype == stored.dtype || (stored.dtype == DType::kF32 && IsWeightType(view.dtype));
    if (!typed || view.shape != stored.shape) {
      return WeightsDamagedError(linear.name, "shapes and format do not agree");
    }
    packed.views_.push_back(view);
  }
  return packed;
}

const TensorView* PackedLinear::Tensor(std::string_view suffix) const {
  for (size_t i = 0; i < stored_.size(); ++i) {
    if (stored_[i].suffix == suffix) return &views_[i];
  }
  return nullptr;
}

void PackedLinear::DecodeIntegers(int64_t row, std::span<float> values) const {
  const IntFormat format = std::get<IntFormat>(format_);
  const TensorView *packed = Tensor(".weight_packed"), *scale = Tensor(".weight_scale"),
                   *zeros = Tensor(".weight_zero_point");
  const int64_t words = format.WordsPerRow(in_), groups = format.Groups(in_), width = format.GroupWidth(in_);
  std::vector<int8_t> codes(static_cast<size_t>(in_));
  if (format.plain_codes()) {
    std::memcpy(codes.data(), Tensor(kPlainSuffix)->bytes.data() + row * in_, codes.size());
  } else {
    std::vector<uint32_t> row_words(static_cast<size_t>(words));
    std::memcpy(row_words.data(), packed->bytes.data() + 4 * row * words, 4 * row_words.size());
    UnpackCodes(format.bits, 1, in_, row_words, codes);
  }
  for (int64_t g = 0; g < groups; ++g) {
    const float s = NumberAt(*scale, row * groups + g);
    const int zero = zeros == nullptr ? 0 : ZeroOf(format.bits, zeros->bytes.data(), groups, row, g);
    for (auto j = static_cast<size_t>(g * width); j < static_cast<size_t>((g + 1) * width); ++j) {
      values[j] = RoundTo(scale->dtype, static_cast<float>(codes[j] - zero) * s);
    }
  }
}

void PackedLinear::DecodeFloats(int64_t row, std::span<float> values) const {
  const FloatFormat format = std::get<FloatFormat>(format_);
  const FloatSpec& spec = SpecOf(format);
  const auto row_bytes = static_cast<size_t>(in_ * spec.bits / 8);
  std::vector<uint8_t> codes(static_cast<size_t>(in_));
  UnpackFloats(
      format,
      {reinterpret_cast<const uint8_t*>(views_[0].bytes.data()) + static_cast<size_t>(row) * row_bytes, row_bytes},
      codes);
  const TensorView& scales = views_[1];
  const TensorView* global = Tensor(".weight_global_scale");
  const float divisor = global == nullptr ? 1 : NumberAt(*global, 0);
  const Grid grid = GridOf(format, in_, IsWeightType(scales.dtype) ? scales.dtype : DType::kF32, divisor);
  const auto scale_of = [&](int64_t column) {
    switch (spec.scaling) {
      case FloatScaling::kPowers:
        return E8M0ToFloat(static_cast<uint8_t>(scales.bytes[static_cast<size_t>((row * in_ + column) / spec.group)]));
      case FloatScaling::kTwoLevels:
        return E4M3ToFloat(static_cast<uint8_t>(scales.bytes[static_cast<size_t>((row * in_ + column) / spec.group)])) /
               divisor;
      case FloatScaling::kTensor:
        return NumberAt(scales, 0);
      case FloatScaling::kChannel:
        return NumberAt(scales, row);
      case FloatScaling::kBlock:
        break;
    }
    const int64_t runs = (in_ + kScaleBlock - 1) / kScaleBlock;
    return NumberAt(scales, row / kScaleBlock * runs + column / kScaleBlock);
  };
  for (int64_t begin = 0; begin < in_; begin += grid.group) {
    const float scale = scale_of(begin);
    for (auto j = static_cast<size_t>(begin); j < static_cast<size_t>(begin + grid.group); ++j) {
      values[j] = RoundTo(grid.value_type, grid.codebook[codes[j]] * scale);
    }
  }
}

void PackedLinear::DecodeTable(int64_t row, std::span<float> values) const {
  const CodebookFormat format = std::get<CodebookFormat>(format_);
  const auto row_bytes = static_cast<size_t>(format.RowBytes(in_));
  const auto* packed = reinterpret_cast<const uint8_t*>(views_[0].bytes.data());
  std::vector<uint8_t> codes(static_cast<size_t>(in_));
  UnpackCodebook(format, {packed + static_cast<size_t>(row) * row_bytes, row_bytes}, codes);
  std::vector<float> table(std::begin(kNf4Values), std::end(kNf4Values));
  if (const TensorView* own = Tensor(".weight_table")) {
    table.resize(format.values());
    ToFloat(*own, 0, std::ssize(table), table.data());
  }
  const int64_t groups = format.Groups(in_), width = in_ / groups;
  for (int64_t j = 0; j < in_; ++j) {
    const auto at = static_cast<size_t>(j);
    values[at] = RoundTo(views_[1].dtype, table[codes[at]] * NumberAt(views_[1], row * groups + j / width));
  }
}

void PackedLinear::Decode(int64_t first, std::span<float> values) const {
  const auto rows = std::ssize(values) / in_;
  if (const auto* block = std::get_if<BlockType>(&format_)) {
    const auto row_bytes = static_cast<size_t>(SpecOf(*block).RowBytes(in_));
    const std::span blocks(reinterpret_cast<const uint8_t*>(views_[0].bytes.data()), views_[0].bytes.size());
    DecodeBlocks(*block, blocks.subspan(static_cast<size_t>(first) * row_bytes, static_cast<size_t>(rows) * row_bytes),
                 values);
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = values.subspan(static_cast<size_t>(r * in_), static_cast<size_t>(in_));
    if (std::holds_alternative<IntFormat>(format_)) {
      DecodeIntegers(first + r, row);
    } else if (std::holds_alternative<FloatFormat>(format_)) {
      DecodeFloats(first + r, row);
    } else if (std::holds_alternative<CodebookFormat>(format_)) {
      DecodeTable(first + r, row);
    } else {
      ToFloat(views_[0], (first + r) * in_, in_, row.data());
    }
  }
}

bool PackedLinear::OnDevice() const {
  const IntFormat* integers = SymmetricIntegers(format_);
  return integers != nullptr && !integers->plain_codes();
}

void PackedLinear::Dequantize(Device& device, const Matrix& to) const {
  CHECK(OnDevice());
  const IntFormat format = std::get<IntFormat>(format_);
  const TensorView& scale = *Tensor(".weight_scale");
  device.rounding().DequantizePacked(format.Grid(in_, scale.dtype), Tensor(".weight_packed")->bytes, scale, to);
}

void PackedLinear::Release() const {
  for (const TensorView& view : views_) file_->Release(view.bytes);
}

}  // namespace bitwright::worker
