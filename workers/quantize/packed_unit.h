#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/formats/unit_formats.h"
#include "workers/model/weights.h"
#include "workers/quantize/linear_packing.h"

namespace bitwright::worker {

// Quantized units in a safetensors file. Metadata "format/{unit}" names each unit's formats; each of its linears has
// the tensors of StoredTensors.
struct PackedUnit {
  UnitSpec unit;
  UnitFormats formats;
  DType type = DType::kF32;  // of the model's weights
};

// Declares all tensors of `units` in order, then takes the rounded linears one by one.
class PackedUnitsWriter {
 public:
  static absl::StatusOr<PackedUnitsWriter> Create(const std::string& path, const std::vector<PackedUnit>& units);
  // The next linear of the next unit.
  absl::Status Append(const LinearSpec& linear, const Format& format, DType type, QuantizedLinear& quantized);
  // The next linear, of a format of one tensor: its bytes.
  absl::Status Append(std::span<const std::byte> bytes) { return writer_.Append(bytes.data(), bytes.size()); }
  absl::Status Close();

 private:
  explicit PackedUnitsWriter(SafetensorsWriter writer) : writer_(std::move(writer)) {}
  SafetensorsWriter writer_;
};

// The weights that a consumer of such files computes with.
class PackedUnits {
 public:
  // WEIGHTS_DAMAGED when metadata or shapes do not agree.
  static absl::StatusOr<PackedUnits> Open(const std::vector<std::string>& paths);

  // weight [out, in] on the device, values as the consumer decompresses them, rounded to the dtype in which it does.
  // Gives the format of the unit's input.
  absl::StatusOr<SiteFormat> Dequantize(const UnitSpec& unit, Device& device, const Matrix& weight) const;

  // A unit of one linear, row by row; nothing where the files do not have it. The object must outlive the source.
  // WEIGHTS_DAMAGED.
  absl::StatusOr<std::optional<TableSource>> Table(const UnitSpec& unit, Device& device) const;

  // A tensor as the files hold it, to be written on. Nothing: none of this name.
  struct Stored {
    TensorView view;
    const SafetensorsFile* file;  // give its bytes back there (SafetensorsFile::Release)
  };
  std::optional<Stored> Find(const std::string& tensor) const;

 private:
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::pair<size_t, UnitFormats>> formats_;  // unit → file, formats
};

}  // namespace bitwright::worker
