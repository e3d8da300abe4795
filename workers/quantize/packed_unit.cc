#include "workers/quantize/packed_unit.h"

#include <cstring>

#include "proto/base/status_macros.h"
#include "workers/kernels/pack_codes.h"
#include "workers/quantize/quantize_errors.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kFormatKey = "format/";

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

}  // namespace

absl::StatusOr<PackedUnitsWriter> PackedUnitsWriter::Create(const std::string& path,
                                                            const std::vector<UnitFormat>& units) {
  std::vector<TensorDeclaration> tensors;
  std::map<std::string, std::string> metadata;
  for (const UnitFormat& unit : units) {
    metadata[std::string(kFormatKey) + unit.unit.name] = FormatName(unit.format);
    for (const LinearSpec& linear : unit.unit.linears) {
      tensors.push_back(
          {linear.name + ".weight_packed", DType::kI32, {linear.out, unit.format.WordsPerRow(linear.in)}});
      tensors.push_back({linear.name + ".weight_scale", unit.scale_type, {linear.out, unit.format.Groups(linear.in)}});
      tensors.push_back({linear.name + ".weight_shape", DType::kI64, {2}});
    }
  }
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), metadata));
  return PackedUnitsWriter(std::move(writer));
}

absl::Status PackedUnitsWriter::Append(const LinearSpec& linear, IntFormat format, DType scale_type,
                                       const RoundedLinear& rounded) {
  std::vector<uint32_t> packed(static_cast<size_t>(linear.out * format.WordsPerRow(linear.in)));
  PackCodes(format.bits, linear.out, linear.in, rounded.codes, packed);
  ABSL_RETURN_IF_ERROR(writer_.Append(packed.data(), packed.size() * sizeof(uint32_t)));
  const std::vector<std::byte> scales = NarrowScales(rounded.scales, scale_type);
  ABSL_RETURN_IF_ERROR(writer_.Append(scales.data(), scales.size()));
  const int64_t shape[2] = {linear.out, linear.in};
  return writer_.Append(shape, sizeof shape);
}

absl::Status PackedUnitsWriter::Close() { return writer_.Close(); }

absl::StatusOr<PackedUnits> PackedUnits::Open(const std::vector<std::string>& paths) {
  PackedUnits units;
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path, "weights"));
    for (const auto& [key, value] : file.metadata()) {
      if (!key.starts_with(kFormatKey)) continue;
      ABSL_ASSIGN_OR_RETURN(const IntFormat format, ParseFormat(value));
      units.formats_[key.substr(kFormatKey.size())] = {units.files_.size(), format};
    }
    units.files_.push_back(std::move(file));
  }
  return units;
}

absl::Status PackedUnits::Dequantize(const UnitSpec& unit, Device& device, const Matrix& weight) const {
  const auto found = formats_.find(unit.name);
  if (found == formats_.end()) return WeightsDamagedError(unit.name, "the unit is missing");
  const size_t file = found->second.first;
  const IntFormat format = found->second.second;
  int64_t row = 0;
  for (const LinearSpec& linear : unit.linears) {
    ABSL_ASSIGN_OR_RETURN(const TensorView packed, files_[file].Find(linear.name + ".weight_packed"));
    ABSL_ASSIGN_OR_RETURN(const TensorView scale, files_[file].Find(linear.name + ".weight_scale"));
    const int64_t words = format.WordsPerRow(linear.in), groups = format.Groups(linear.in);
    if (!format.Fits(linear.in) || packed.dtype != DType::kI32 || !IsWeightType(scale.dtype) ||
        packed.shape != std::vector<int64_t>{linear.out, words} ||
        scale.shape != std::vector<int64_t>{linear.out, groups}) {
      return WeightsDamagedError(linear.name, "shapes and format do not agree");
    }
    device.rounding().DequantizePacked(format.Grid(linear.in, scale.dtype), packed.bytes, scale,
                                       weight.Rows(row, linear.out));
    files_[file].Release(packed.bytes);
    files_[file].Release(scale.bytes);
    row += linear.out;
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
