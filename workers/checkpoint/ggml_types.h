#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace bitwright::worker {

// How ggml stores the elements of a tensor: each row, which is the last dimension of a shape, is a run of whole blocks
// of `values_per_block` elements in `bytes_per_block` bytes. Ids are those of enum ggml_type (ggml-org/ggml, ggml.h).
struct GgmlType {
  uint32_t id = 0;
  std::string_view name;
  int64_t values_per_block = 1;
  int64_t bytes_per_block = 1;

  bool operator==(const GgmlType& other) const { return id == other.id; }
};

// Ids of those that hold numbers one by one.
inline constexpr uint32_t kGgmlF32 = 0, kGgmlF16 = 1, kGgmlBF16 = 30;
inline constexpr uint32_t kGgmlQ8_0 = 8;

// All that files may hold, by rising id. Not among them: types that ggml gave up (4, 5, 31 to 33, 36 to 38) and types
// of activations, which only live in memory (Q8_1 is 9, Q8_K is 15).
std::span<const GgmlType> GgmlTypes();

// Nothing for an id that is not among them.
std::optional<GgmlType> FindGgmlType(uint32_t id);

// Whether rows of this shape (row-major, at least one dimension) are whole blocks.
bool RowsAreWholeBlocks(const GgmlType& type, const std::vector<int64_t>& shape);

// Bytes of a tensor whose rows are whole blocks; nothing when they, or its elements, are 2^63 or more.
std::optional<int64_t> StoredBytes(const GgmlType& type, const std::vector<int64_t>& shape);

}  // namespace bitwright::worker
