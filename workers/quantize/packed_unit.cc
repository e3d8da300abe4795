#include "workers/quantize/packed_unit.h"

#include <algorithm>
#include <cstring>

#include "proto/base/status_macros.h"
#include "workers/formats/block_packing.h"
#include "workers/formats/block_values.h"
#include "workers/formats/lattice_packing.h"
#include "workers/kernels/pack_codes.h"
#include "workers/quantize/quantize_errors.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kFormatKey = "format/";
constexpr int64_t kDecodedRows = 64;  // that are decoded before they go to the device

// Scales as bytes of their stored type.
std::vector<std::byte> NarrowScales(const std::vector<float>& scales, DType type) {
  std::vector<std::byte> bytes(scales.size() * static_cast<size_t>(ByteSize(type)));
  for (size_t i = 0; i < scales.size(); ++i) {
    if (type == DType::kF32) {
      std::memcpy(&bytes[4 * i], &scales[i], 4);
    } else {
      const uint16_t half = type == DType::kBF16 ? FloatToBf16(scales[i]) : FloatToF16(scales[i]);
      std::memcpy(&bytes[2 * i], &half, 2);
    }
  }
  return bytes;
}

void Declare(const LinearSpec& linear, const UnitFormat& unit, std::vector<TensorDeclaration>& tensors) {
  if (const auto* type = std::get_if<BlockType>(&unit.format)) {
    tensors.push_back(
        {linear.name + std::string(kBlocksTensor), DType::kU8, {linear.out, SpecOf(*type).RowBytes(linear.in)}});
    return;
  }
  const IntFormat format = std::get<IntFormat>(unit.format);
  tensors.push_back({linear.name + ".weight_packed", DType::kI32, {linear.out, format.WordsPerRow(linear.in)}});
  tensors.push_back({linear.name + ".weight_scale", unit.type, {linear.out, format.Groups(linear.in)}});
  tensors.push_back({linear.name + ".weight_shape", DType::kI64, {2}});
}

}  // namespace

absl::StatusOr<PackedUnitsWriter> PackedUnitsWriter::Create(const std::string& path,
                                                            const std::vector<UnitFormat>& units) {
  std::vector<TensorDeclaration> tensors;
  std::map<std::string, std::string> metadata;
  for (const UnitFormat& unit : units) {
    metadata[std::string(kFormatKey) + unit.unit.name] = FormatName(unit.format);
    for (const LinearSpec& linear : unit.unit.linears) Declare(linear, unit, tensors);
  }
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), metadata));
  return PackedUnitsWriter(std::move(writer));
}

absl::Status PackedUnitsWriter::Append(const LinearSpec& linear, const Format& format, DType type,
                                       QuantizedLinear& quantized) {
  if (const auto* block = std::get_if<BlockType>(&format)) {
    return AppendBlocks(linear, *block, quantized);
  }
  return AppendIntegers(linear, std::get<IntFormat>(format), type, std::get<RoundedLinear>(quantized.parts));
}

absl::Status PackedUnitsWriter::AppendIntegers(const LinearSpec& linear, IntFormat format, DType type,
                                               const RoundedLinear& rounded) {
  std::vector<uint32_t> packed(static_cast<size_t>(linear.out * format.WordsPerRow(linear.in)));
  PackCodes(format.bits, linear.out, linear.in, rounded.codes, packed);
  ABSL_RETURN_IF_ERROR(writer_.Append(packed.data(), packed.size() * sizeof(uint32_t)));
  const std::vector<std::byte> scales = NarrowScales(rounded.scales, type);
  ABSL_RETURN_IF_ERROR(writer_.Append(scales.data(), scales.size()));
  const int64_t shape[2] = {linear.out, linear.in};
  return writer_.Append(shape, sizeof shape);
}

absl::Status PackedUnitsWriter::AppendBlocks(const LinearSpec& linear, BlockType type, QuantizedLinear& quantized) {
  std::vector<uint8_t> blocks(static_cast<size_t>(linear.out * SpecOf(type).RowBytes(linear.in)));
  PackRows(type, linear.in, quantized, blocks);
  return Append(blocks);
}

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

absl::Status PackedUnitsWriter::Close() { return writer_.Close(); }

absl::StatusOr<PackedUnits> PackedUnits::Open(const std::vector<std::string>& paths) {
  PackedUnits units;
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path, "weights"));
    for (const auto& [key, value] : file.metadata()) {
      if (!key.starts_with(kFormatKey)) continue;
      ABSL_ASSIGN_OR_RETURN(const Format format, ParseFormat(value));
      units.formats_[key.substr(kFormatKey.size())] = {units.files_.size(), format};
    }
    units.files_.push_back(std::move(file));
  }
  return units;
}

absl::Status PackedUnits::Dequantize(const UnitSpec& unit, Device& device, const Matrix& weight) const {
  const auto found = formats_.find(unit.name);
  if (found == formats_.end()) return WeightsDamagedError(unit.name, "the unit is missing");
  const SafetensorsFile& file = files_[found->second.first];
  const Format& format = found->second.second;
  int64_t row = 0;
  for (const LinearSpec& linear : unit.linears) {
    if (!Fits(format, linear.in)) return WeightsDamagedError(linear.name, "shapes and format do not agree");
    const Matrix rows = weight.Rows(row, linear.out);
    if (const auto* type = std::get_if<BlockType>(&format)) {
      ABSL_RETURN_IF_ERROR(Blocks(linear, file, *type, device, rows));
    } else {
      ABSL_RETURN_IF_ERROR(Integers(linear, file, std::get<IntFormat>(format), device, rows));
    }
    row += linear.out;
  }
  return absl::OkStatus();
}

absl::Status PackedUnits::Integers(const LinearSpec& linear, const SafetensorsFile& file, IntFormat format,
                                   Device& device, const Matrix& weight) const {
  ABSL_ASSIGN_OR_RETURN(const TensorView packed, file.Find(linear.name + ".weight_packed"));
  ABSL_ASSIGN_OR_RETURN(const TensorView scale, file.Find(linear.name + ".weight_scale"));
  const int64_t words = format.WordsPerRow(linear.in), groups = format.Groups(linear.in);
  if (packed.dtype != DType::kI32 || !IsWeightType(scale.dtype) ||
      packed.shape != std::vector<int64_t>{linear.out, words} ||
      scale.shape != std::vector<int64_t>{linear.out, groups}) {
    return WeightsDamagedError(linear.name, "shapes and format do not agree");
  }
  device.rounding().DequantizePacked(format.Grid(linear.in, scale.dtype), packed.bytes, scale, weight);
  file.Release(packed.bytes);
  file.Release(scale.bytes);
  return absl::OkStatus();
}

absl::StatusOr<std::span<const uint8_t>> PackedUnits::BlocksOf(const LinearSpec& linear, const SafetensorsFile& file,
                                                               BlockType type) {
  ABSL_ASSIGN_OR_RETURN(const TensorView blocks, file.Find(linear.name + std::string(kBlocksTensor)));
  if (!SpecOf(type).Fits(linear.in) || blocks.dtype != DType::kU8 ||
      blocks.shape != std::vector<int64_t>{linear.out, SpecOf(type).RowBytes(linear.in)}) {
    return WeightsDamagedError(linear.name, "shapes and format do not agree");
  }
  return std::span(reinterpret_cast<const uint8_t*>(blocks.bytes.data()), blocks.bytes.size());
}

absl::Status PackedUnits::Blocks(const LinearSpec& linear, const SafetensorsFile& file, BlockType type, Device& device,
                                 const Matrix& weight) const {
  ABSL_ASSIGN_OR_RETURN(const std::span<const uint8_t> blocks, BlocksOf(linear, file, type));
  const auto row_bytes = static_cast<size_t>(SpecOf(type).RowBytes(linear.in));
  std::vector<float> values(static_cast<size_t>(kDecodedRows * linear.in));
  for (int64_t row = 0; row < linear.out; row += kDecodedRows) {
    const int64_t rows = std::min(kDecodedRows, linear.out - row);
    const auto part = std::span(values).first(static_cast<size_t>(rows * linear.in));
    DecodeBlocks(type, blocks.subspan(static_cast<size_t>(row) * row_bytes, static_cast<size_t>(rows) * row_bytes),
                 part);
    device.Write(part, weight.Rows(row, rows));
  }
  file.Release(std::as_bytes(blocks));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TableSource>> PackedUnits::Table(const UnitSpec& unit, Device& device) const {
  const auto found = formats_.find(unit.name);
  if (found == formats_.end()) return std::nullopt;
  const auto* type = std::get_if<BlockType>(&found->second.second);
  if (type == nullptr) return WeightsDamagedError(unit.name, "an end of the model is not in blocks");
  const LinearSpec& linear = unit.linears.front();
  ABSL_ASSIGN_OR_RETURN(const std::span<const uint8_t> blocks, BlocksOf(linear, files_[found->second.first], *type));
  const auto row_bytes = static_cast<size_t>(SpecOf(*type).RowBytes(linear.in));
  const auto load = [blocks, row_bytes, block_type = *type, &device](int64_t row, const Matrix& to) {
    std::vector<float> values(static_cast<size_t>(to.rows * to.columns));
    DecodeBlocks(block_type,
                 blocks.subspan(static_cast<size_t>(row) * row_bytes, static_cast<size_t>(to.rows) * row_bytes),
                 values);
    device.Write(values, to);
  };
  TableSource table;
  table.rows = [load](int64_t first, const Matrix& to) {
    for (int64_t row = 0; row < to.rows; row += kDecodedRows) {
      load(first + row, to.Rows(row, std::min(kDecodedRows, to.rows - row)));
    }
  };
  table.rows_of = [load](std::span<const int32_t> ids, const Matrix& to) {
    for (size_t i = 0; i < ids.size(); ++i) load(ids[i], to.Rows(static_cast<int64_t>(i), 1));
  };
  return table;
}

}  // namespace bitwright::worker
