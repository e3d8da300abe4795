#include "workers/families/dtype_name.h"

#include <algorithm>
#include <array>

namespace bitwright::worker {

std::optional<std::string_view> TorchDTypeName(std::string_view spelling) {
  constexpr std::array<std::string_view, 7> kNames = {"float32",  "float",   "float16", "half",
                                                      "bfloat16", "float64", "double"};
  constexpr std::string_view kModule = "torch.";
  if (spelling == "auto") return std::string_view();
  if (spelling.starts_with(kModule)) spelling.remove_prefix(kModule.size());
  const auto* const found = std::find(kNames.begin(), kNames.end(), spelling);
  return found == kNames.end() ? std::nullopt : std::optional(*found);
}

std::string_view TorchDTypeName(DType dtype) {
  return dtype == DType::kF16 ? "float16" : dtype == DType::kBF16 ? "bfloat16" : "float32";
}

}  // namespace bitwright::worker
