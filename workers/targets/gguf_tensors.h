#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "workers/checkpoint/ggml_types.h"
#include "workers/checkpoint/gguf_writer.h"
#include "workers/quantize/packed_unit.h"
#include "workers/targets/gguf_source.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {

// Whether a kept tensor of this dtype is stored byte for byte.
bool IsStoredAsIs(const GgufSource& source, DType dtype);

// A kept tensor as the file stores it in `type`, f32 or its own: widened, added to, rows of rotary heads in their
// order.
std::vector<std::byte> GgufKeptData(const GgufSource& source, const TensorView& view, const GgmlType& type);

// The blocks of one linear [out, in], which is `source` or, of experts, a part of it. TASK_INPUT_DAMAGED.
absl::Status AppendGgufBlocks(const std::string& linear, const GgufSource& source, const GgmlType& type,
                              const PackedUnits& packed, GgufWriter& writer);

}  // namespace bitwright::worker
