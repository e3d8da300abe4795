#include "workers/checkpoint/gguf_tensors.h"

#include <algorithm>
#include <limits>
#include <set>

#include "workers/checkpoint/gguf_errors.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::string_view> ReadName(GgufCursor& cursor) {
  const uint64_t begin = cursor.at();
  ABSL_ASSIGN_OR_RETURN(const std::string_view name, cursor.Text("a tensor's name"));
  if (name.empty() || name.size() > kMaxGgufNameBytes) {
    return GgufTensorInvalidError(cursor.file(), name, begin,
                                  "has a name of " + std::to_string(name.size()) + " bytes; allowed are 1 to " +
                                      std::to_string(kMaxGgufNameBytes));
  }
  return name;
}

absl::StatusOr<std::vector<int64_t>> ReadShape(GgufCursor& cursor, std::string_view name) {
  const uint64_t begin = cursor.at();
  ABSL_ASSIGN_OR_RETURN(const uint32_t dimensions, cursor.Number<uint32_t>("a tensor's number of dimensions"));
  if (dimensions < 1 || dimensions > kMaxGgufDimensions) {
    return GgufTensorInvalidError(
        cursor.file(), name, begin,
        "has " + std::to_string(dimensions) + " dimensions; allowed are 1 to " + std::to_string(kMaxGgufDimensions));
  }
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < dimensions; ++i) {
    const uint64_t at = cursor.at();
    ABSL_ASSIGN_OR_RETURN(const uint64_t dimension, cursor.Number<uint64_t>("a tensor's dimension"));
    if (dimension < 1 || dimension > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return GgufTensorInvalidError(
          cursor.file(), name, at,
          "has a dimension of " + std::to_string(dimension) + "; allowed is what is positive and below 2^63");
    }
    shape.push_back(static_cast<int64_t>(dimension));
  }
  std::reverse(shape.begin(), shape.end());
  return shape;
}

absl::StatusOr<GgufTensor> ReadTensor(GgufCursor& cursor) {
  GgufTensor tensor;
  ABSL_ASSIGN_OR_RETURN(tensor.name, ReadName(cursor));
  ABSL_ASSIGN_OR_RETURN(tensor.shape, ReadShape(cursor, tensor.name));
  const uint64_t begin = cursor.at();
  ABSL_ASSIGN_OR_RETURN(const uint32_t id, cursor.Number<uint32_t>("a tensor's type"));
  const auto type = FindGgmlType(id);
  if (!type) return GgufTypeUnknownError(cursor.file(), tensor.name, begin, id);
  tensor.type = *type;
  ABSL_ASSIGN_OR_RETURN(tensor.offset, cursor.Number<uint64_t>("a tensor's offset"));
  if (!RowsAreWholeBlocks(*type, tensor.shape)) {
    return GgufRowNotBlocksError(cursor.file(), tensor.name, tensor.shape.back(), type->name, type->values_per_block);
  }
  if (!StoredBytes(*type, tensor.shape)) {
    return GgufShapeOverflowError(cursor.file(), tensor.name, ShapeText(tensor.shape));
  }
  return tensor;
}

}  // namespace

absl::StatusOr<std::vector<GgufTensor>> ReadGgufTensors(GgufCursor& cursor, uint64_t count) {
  std::vector<GgufTensor> tensors;
  tensors.reserve(count);
  std::set<std::string_view> names;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = cursor.at();
    ABSL_ASSIGN_OR_RETURN(GgufTensor tensor, ReadTensor(cursor));
    tensors.push_back(std::move(tensor));  // stays where it is: reserved
    if (!names.insert(tensors.back().name).second) {
      return GgufDuplicateTensorError(cursor.file(), tensors.back().name, begin);
    }
  }
  return tensors;
}

absl::Status PlaceGgufTensors(std::string_view file, std::span<const std::byte> data, int64_t alignment,
                              std::vector<GgufTensor>& tensors) {
  const int64_t available = static_cast<int64_t>(data.size());
  int64_t end = 0;
  const GgufTensor* last = nullptr;
  for (GgufTensor& tensor : tensors) {
    const int64_t begin = GgufPadded(end, alignment);
    if (tensor.offset % static_cast<uint64_t>(alignment) != 0) {
      return GgufOffsetMisalignedError(file, tensor.name, tensor.offset, alignment);
    }
    if (tensor.offset < static_cast<uint64_t>(begin)) {
      return GgufOverlapError(file, tensor.name, last->name, tensor.offset);
    }
    if (tensor.offset > static_cast<uint64_t>(begin)) return GgufHoleError(file, tensor.name, begin, tensor.offset);
    const int64_t bytes = *StoredBytes(tensor.type, tensor.shape);
    if (begin > available || bytes > available - begin) {
      return GgufPastEndError(file, tensor.name, tensor.offset, bytes, available);
    }
    tensor.bytes = data.subspan(static_cast<size_t>(begin), static_cast<size_t>(bytes));
    end = begin + bytes;
    last = &tensor;
  }
  if (available > GgufPadded(end, alignment)) return GgufTrailingBytesError(file, end, available);
  return absl::OkStatus();
}

}  // namespace bitwright::worker
