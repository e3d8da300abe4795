#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/model/weights.h"
#include "workers/quantize/unit_rounder.h"

namespace bitwright::worker {

// Quantized units in a safetensors file. Metadata "format/{unit}" names each unit's format. Of integers the tensors
// that compressed-tensors' `pack-quantized` asks for: "{linear}.weight_packed" i32 [out, words],
// "{linear}.weight_scale" [out, groups] in the weight's dtype, "{linear}.weight_shape" i64 [2]. Of block types
// "{linear}.weight_blocks" u8 [out, bytes of a row].
struct UnitFormat {
  UnitSpec unit;
  Format format;
  DType type = DType::kF32;  // of the model's weights
};

inline constexpr std::string_view kBlocksTensor = ".weight_blocks";

// Declares all tensors of `units` in order, then takes the rounded linears one by one.
class PackedUnitsWriter {
 public:
  static absl::StatusOr<PackedUnitsWriter> Create(const std::string& path, const std::vector<UnitFormat>& units);
  // The next linear of the next unit.
  absl::Status Append(const LinearSpec& linear, const Format& format, DType type, QuantizedLinear& quantized);
  // The next linear, of a block type: blocks of all its rows as PackRows makes them.
  absl::Status Append(std::span<const uint8_t> blocks) { return writer_.Append(blocks.data(), blocks.size()); }
  absl::Status Close();

 private:
  explicit PackedUnitsWriter(SafetensorsWriter writer) : writer_(std::move(writer)) {}
  absl::Status AppendIntegers(const LinearSpec& linear, IntFormat format, DType type, const RoundedLinear& rounded);
  absl::Status AppendBlocks(const LinearSpec& linear, BlockType type, QuantizedLinear& quantized);
  SafetensorsWriter writer_;
};

// Rows of a linear of `columns` as blocks: `blocks` has room for each row's RowBytes.
void PackRows(BlockType type, int64_t columns, QuantizedLinear& quantized, std::span<uint8_t> blocks);

// The weights that a consumer of such files computes with.
class PackedUnits {
 public:
  // WEIGHTS_DAMAGED when metadata or shapes do not agree.
  static absl::StatusOr<PackedUnits> Open(const std::vector<std::string>& paths);

  // weight [out, in] on the device, values as the consumer decompresses them: integers rounded to the dtype of their
  // scales, blocks in f32.
  absl::Status Dequantize(const UnitSpec& unit, Device& device, const Matrix& weight) const;

  // A unit of one linear of a block type, row by row; nothing where the files do not have it. The object must outlive
  // the source. WEIGHTS_DAMAGED.
  absl::StatusOr<std::optional<TableSource>> Table(const UnitSpec& unit, Device& device) const;

  const std::vector<SafetensorsFile>& files() const { return files_; }

 private:
  // Blocks of a linear of such a type. WEIGHTS_DAMAGED, TENSOR_MISSING.
  static absl::StatusOr<std::span<const uint8_t>> BlocksOf(const LinearSpec& linear, const SafetensorsFile& file,
                                                           BlockType type);
  absl::Status Integers(const LinearSpec& linear, const SafetensorsFile& file, IntFormat format, Device& device,
                        const Matrix& weight) const;
  absl::Status Blocks(const LinearSpec& linear, const SafetensorsFile& file, BlockType type, Device& device,
                      const Matrix& weight) const;

  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::pair<size_t, Format>> formats_;  // unit → file, format
};

}  // namespace bitwright::worker
