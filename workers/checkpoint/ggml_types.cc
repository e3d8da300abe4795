#include "workers/checkpoint/ggml_types.h"

#include <algorithm>

#include "workers/base/checked.h"

namespace bitwright::worker {
namespace {

constexpr GgmlType kTypes[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},        {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
    {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},     {8, "Q8_0", 32, 34},      {10, "Q2_K", 256, 84},
    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},  {13, "Q5_K", 256, 176},   {14, "Q6_K", 256, 210},
    {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74}, {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110}, {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136},
    {24, "I8", 1, 1},         {25, "I16", 1, 2},       {26, "I32", 1, 4},        {27, "I64", 1, 8},
    {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},  {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},   {40, "NVFP4", 64, 36},
};
static_assert(std::is_sorted(std::begin(kTypes), std::end(kTypes),
                             [](const GgmlType& a, const GgmlType& b) { return a.id < b.id; }));

}  // namespace

std::span<const GgmlType> GgmlTypes() { return kTypes; }

std::optional<GgmlType> FindGgmlType(uint32_t id) {
  const auto found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& type) { return type.id == id; });
  if (found == std::end(kTypes)) return std::nullopt;
  return *found;
}

bool RowsAreWholeBlocks(const GgmlType& type, const std::vector<int64_t>& shape) {
  return shape.back() % type.values_per_block == 0;
}

std::optional<int64_t> StoredBytes(const GgmlType& type, const std::vector<int64_t>& shape) {
  std::optional<int64_t> elements = 1;
  for (const int64_t d : shape) elements = elements ? CheckedMul(*elements, d) : std::nullopt;
  if (!elements) return std::nullopt;
  return CheckedMul(*elements / type.values_per_block, type.bytes_per_block);
}

}  // namespace bitwright::worker
