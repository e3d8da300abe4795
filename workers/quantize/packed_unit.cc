#include "workers/quantize/packed_unit.h"

#include <algorithm>
#include <memory>

#include "proto/base/status_macros.h"
#include "workers/quantize/quantize_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kFormatKey = "format/";
constexpr int64_t kDecodedRows = 64;  // that are decoded before they go to the device

// Rows from `first` on.
void LoadRows(const PackedLinear& packed, int64_t first, Device& device, const Matrix& to) {
  std::vector<float> values(static_cast<size_t>(std::min(kDecodedRows, to.rows) * to.columns));
  for (int64_t row = 0; row < to.rows; row += kDecodedRows) {
    const int64_t rows = std::min(kDecodedRows, to.rows - row);
    const auto part = std::span(values).first(static_cast<size_t>(rows * to.columns));
    packed.Decode(first + row, part);
    device.Write(part, to.Rows(row, rows));
  }
}

}  // namespace

absl::StatusOr<PackedUnitsWriter> PackedUnitsWriter::Create(const std::string& path,
                                                            const std::vector<PackedUnit>& units) {
  std::vector<TensorDeclaration> tensors;
  std::map<std::string, std::string> metadata;
  for (const PackedUnit& unit : units) {
    metadata[std::string(kFormatKey) + unit.unit.name] = unit.formats.Name();
    for (size_t l = 0; l < unit.unit.linears.size(); ++l) {
      const LinearSpec& linear = unit.unit.linears[l];
      for (StoredTensor& stored : StoredTensors(unit.formats.Of(l), linear.out, linear.in, unit.type)) {
        tensors.push_back({linear.name + std::string(stored.suffix), stored.dtype, std::move(stored.shape)});
      }
    }
  }
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), metadata));
  return PackedUnitsWriter(std::move(writer));
}

absl::Status PackedUnitsWriter::Append(const LinearSpec& linear, const Format& format, DType type,
                                       QuantizedLinear& quantized) {
  for (const std::vector<std::byte>& bytes : PackLinear(linear, format, type, quantized)) {
    ABSL_RETURN_IF_ERROR(writer_.Append(bytes.data(), bytes.size()));
  }
  return absl::OkStatus();
}

absl::Status PackedUnitsWriter::Close() { return writer_.Close(); }

absl::StatusOr<PackedUnits> PackedUnits::Open(const std::vector<std::string>& paths) {
  PackedUnits units;
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path, "weights"));
    for (const auto& [key, value] : file.metadata()) {
      if (!key.starts_with(kFormatKey)) continue;
      ABSL_ASSIGN_OR_RETURN(UnitFormats formats, UnitFormats::Parse(value));
      units.formats_.insert_or_assign(key.substr(kFormatKey.size()),
                                      std::pair(units.files_.size(), std::move(formats)));
    }
    units.files_.push_back(std::move(file));
  }
  return units;
}

std::optional<PackedUnits::Stored> PackedUnits::Find(const std::string& tensor) const {
  for (const SafetensorsFile& file : files_) {
    const auto found = file.tensors().find(tensor);
    if (found != file.tensors().end()) return Stored{found->second, &file};
  }
  return std::nullopt;
}

absl::StatusOr<SiteFormat> PackedUnits::Dequantize(const UnitSpec& unit, Device& device, const Matrix& weight) const {
  const auto found = formats_.find(unit.name);
  if (found == formats_.end()) return WeightsDamagedError(unit.name, "the unit is missing");
  const auto& [file, formats] = found->second;
  int64_t row = 0;
  for (size_t l = 0; l < unit.linears.size(); ++l) {
    const LinearSpec& linear = unit.linears[l];
    ABSL_ASSIGN_OR_RETURN(const PackedLinear packed, PackedLinear::Find(linear, formats.Of(l), files_[file]));
    const Matrix rows = weight.Rows(row, linear.out);
    if (packed.OnDevice()) {
      packed.Dequantize(device, rows);
    } else {
      LoadRows(packed, 0, device, rows);
    }
    packed.Release();
    row += linear.out;
  }
  return InputOf(formats.Of(0));
}

absl::StatusOr<std::optional<TableSource>> PackedUnits::Table(const UnitSpec& unit, Device& device) const {
  const auto found = formats_.find(unit.name);
  if (found == formats_.end()) return std::nullopt;
  const auto& [file, formats] = found->second;
  ABSL_ASSIGN_OR_RETURN(const PackedLinear packed,
                        PackedLinear::Find(unit.linears.front(), formats.Of(0), files_[file]));
  TableSource table;
  table.rows = [packed, &device](int64_t first, const Matrix& to) { LoadRows(packed, first, device, to); };
  table.rows_of = [packed, &device](std::span<const int32_t> ids, const Matrix& to) {
    for (size_t i = 0; i < ids.size(); ++i) LoadRows(packed, ids[i], device, to.Rows(static_cast<int64_t>(i), 1));
  };
  return table;
}

}  // namespace bitwright::worker
