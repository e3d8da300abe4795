#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/formats/format.h"
#include "workers/model/weights.h"
#include "workers/quantize/quantized_linear.h"

namespace bitwright::worker {

// The bytes of each of StoredTensors, in their order, of a linear [out, in] of a model whose weights have `type`.
std::vector<std::vector<std::byte>> PackLinear(const LinearSpec& linear, const Format& format, DType type,
                                               QuantizedLinear& quantized);

// A linear as such a file holds it. The file must outlive it. Immutable.
class PackedLinear {
 public:
  // WEIGHTS_DAMAGED, TENSOR_MISSING: the file does not hold the linear in this format.
  static absl::StatusOr<PackedLinear> Find(const LinearSpec& linear, const Format& format, const SafetensorsFile& file);

  // values [rows, in] of rows from `first` on, in f32, as a consumer decodes them.
  void Decode(int64_t first, std::span<float> values) const;
  // Whether a device decodes it, which is faster: packed symmetric integers.
  bool OnDevice() const;
  // All of it to [out, in], where a device does.
  void Dequantize(Device& device, const Matrix& to) const;
  // All has been read.
  void Release() const;

 private:
  PackedLinear(const LinearSpec& linear, const Format& format, const SafetensorsFile& file);
  const TensorView* Tensor(std::string_view suffix) const;
  void DecodeIntegers(int64_t row, std::span<float> values) const;
  void DecodeFloats(int64_t row, std::span<float> values) const;
  void DecodeTable(int64_t row, std::span<float> values) const;

  int64_t in_ = 0;
  Format format_;
  const SafetensorsFile* file_;
  std::vector<StoredTensor> stored_;
  std::vector<TensorView> views_;  // of stored_
};

}  // namespace bitwright::worker
