#include "workers/formats/format.h"

#include <tuple>
#include <utility>

#include "workers/formats/formats_errors.h"

namespace bitwright::worker {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

constexpr int kPlainWidth = 16;
constexpr std::string_view kPlainName = "unquantized";

// Less is more typical. Large groups, of which a scale costs little; types of two levels; lattices last.
std::tuple<int, int64_t> Rank(const Format& format) {
  return std::visit(Overloaded{[](const IntFormat& integer) {
                                 const int kind = integer.input_bits != 0 ? 2 : integer.asymmetric ? 1 : 0;
                                 return std::tuple(kind, int64_t{-integer.group_size});
                               },
                               [](BlockType type) {
                                 if (OnLattice(type)) return std::tuple(2, LatticeOf(type).group);
                                 const Grid& grid = GridOf(type);
                                 return std::tuple(grid.two_levels() ? 0 : 1, grid.minima ? int64_t{0} : grid.group);
                               },
                               [](FloatFormat floats) { return std::tuple(1, -SpecOf(floats).group); },
                               [](CodebookFormat codebook) { return std::tuple(1, int64_t{-codebook.group_size}); },
                               [](PlainFormat) { return std::tuple(3, int64_t{0}); }},
                    format);
}

std::vector<StoredTensor> TensorsOf(const IntFormat& format, int64_t out, int64_t in, DType type) {
  if (format.plain_codes()) return {{".weight", DType::kI8, {out, in}}, {".weight_scale", type, {out, 1}}};
  const int64_t groups = format.Groups(in);
  std::vector<StoredTensor> tensors = {{".weight_packed", DType::kI32, {out, format.WordsPerRow(in)}},
                                       {".weight_scale", format.ScaleDType(type), {out, groups}}};
  if (format.asymmetric) {
    tensors.push_back({".weight_zero_point", DType::kI32, {PackedWords(format.bits, out), groups}});
  }
  tensors.push_back({".weight_shape", DType::kI64, {2}});
  return tensors;
}

std::vector<StoredTensor> TensorsOf(FloatFormat format, int64_t out, int64_t in, DType type) {
  const FloatSpec& spec = SpecOf(format);
  const StoredTensor bytes{".weight", DType::kF8E4M3, {out, in}};
  const StoredTensor packed{".weight_packed", DType::kU8, {out, in * spec.bits / 8}};
  const auto scale = [](DType of, std::vector<int64_t> shape) {
    return StoredTensor{".weight_scale", of, std::move(shape)};
  };
  const auto blocks = [](int64_t n) { return (n + kScaleBlock - 1) / kScaleBlock; };
  switch (spec.scaling) {
    case FloatScaling::kPowers:
      return {spec.bits == 8 ? bytes : packed, scale(DType::kU8, {out, in / spec.group})};
    case FloatScaling::kTwoLevels:
      return {packed, scale(DType::kF8E4M3, {out, in / spec.group}), {".weight_global_scale", DType::kF32, {1}}};
    case FloatScaling::kTensor:
      return {bytes, scale(type, {1})};
    case FloatScaling::kChannel:
      return {bytes, scale(type, {out, 1})};
    case FloatScaling::kBlock:
      return {bytes, scale(type, {blocks(out), blocks(in)})};
  }
  return {};
}

std::vector<StoredTensor> TensorsOf(CodebookFormat format, int64_t out, int64_t in, DType type) {
  const StoredTensor packed{".weight_packed", DType::kU8, {out, format.RowBytes(in)}};
  if (format.type == CodebookFormat::Type::kNf4) {
    return {packed, {".weight_absmax", format.ScaleDType(type), {out, format.Groups(in)}}};
  }
  return {packed,
          {".weight_scale", format.ScaleDType(type), {out, format.Groups(in)}},
          {".weight_table", DType::kF32, {static_cast<int64_t>(format.values())}}};
}

}  // namespace

std::string FormatName(const Format& format) {
  return std::visit(Overloaded{[](const IntFormat& integer) { return FormatName(integer); },
                               [](BlockType type) { return std::string(SpecOf(type).name); },
                               [](FloatFormat floats) { return std::string(SpecOf(floats).name); },
                               [](CodebookFormat codebook) { return FormatName(codebook); },
                               [](PlainFormat) { return std::string(kPlainName); }},
                    format);
}

absl::StatusOr<Format> ParseFormat(std::string_view name) {
  if (const auto integer = ParseIntFormat(name); integer.ok()) return Format(*integer);
  if (const auto block = ParseBlockType(name); block.ok()) return Format(*block);
  if (const auto floats = ParseFloatFormat(name); floats.ok()) return Format(*floats);
  if (const auto codebook = ParseCodebookFormat(name); codebook.ok()) return Format(*codebook);
  if (name == kPlainName) return Format(PlainFormat{});
  return FormatUnknownError(name);
}

const IntFormat* SymmetricIntegers(const Format& format) {
  const auto* integers = std::get_if<IntFormat>(&format);
  return integers == nullptr || integers->asymmetric ? nullptr : integers;
}

SiteFormat InputOf(const Format& format) {
  const auto* integers = std::get_if<IntFormat>(&format);
  return integers == nullptr ? SiteFormat() : integers->Input();
}

int WidthOf(const Format& format) {
  return std::visit(
      Overloaded{[](const IntFormat& integer) { return integer.bits; }, [](BlockType type) { return CodeBits(type); },
                 [](FloatFormat floats) { return SpecOf(floats).bits; },
                 [](CodebookFormat codebook) { return codebook.bits; }, [](PlainFormat) { return kPlainWidth; }},
      format);
}

int64_t GroupSizeOf(const Format& format) {
  return std::visit(
      Overloaded{[](const IntFormat& integer) { return int64_t{integer.group_size}; },
                 [](BlockType type) { return OnLattice(type) ? LatticeOf(type).group : GridOf(type).group; },
                 [](FloatFormat floats) { return SpecOf(floats).group; },
                 [](CodebookFormat codebook) { return int64_t{codebook.group_size}; },
                 [](PlainFormat) { return int64_t{0}; }},
      format);
}

bool Fits(const Format& format, int64_t in) {
  return std::visit(
      Overloaded{[&](const IntFormat& integer) { return integer.Fits(in); },
                 [&](BlockType type) { return SpecOf(type).Fits(in); },
                 [&](FloatFormat floats) { return SpecOf(floats).Fits(in); },
                 [&](CodebookFormat codebook) { return codebook.Fits(in); }, [&](PlainFormat) { return in > 0; }},
      format);
}

std::vector<StoredTensor> StoredTensors(const Format& format, int64_t out, int64_t in, DType type) {
  return std::visit(
      Overloaded{[&](const IntFormat& integer) { return TensorsOf(integer, out, in, type); },
                 [&](BlockType block) {
                   return std::vector<StoredTensor>{{kBlocksSuffix, DType::kU8, {out, SpecOf(block).RowBytes(in)}}};
                 },
                 [&](FloatFormat floats) { return TensorsOf(floats, out, in, type); },
                 [&](CodebookFormat codebook) { return TensorsOf(codebook, out, in, type); },
                 [&](PlainFormat) {
                   return std::vector<StoredTensor>{{kPlainSuffix, type, {out, in}}};
                 }},
      format);
}

int64_t CodedBytes(const Format& format, int64_t out, int64_t in, DType type) {
  int64_t bytes = 0;
  for (const StoredTensor& tensor : StoredTensors(format, out, in, type)) {
    if (tensor.suffix != ".weight_shape") bytes += tensor.bytes();
  }
  return bytes;
}

bool IsMoreTypical(const Format& a, const Format& b) { return Rank(a) < Rank(b); }

}  // namespace bitwright::worker
