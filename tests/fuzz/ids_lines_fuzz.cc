#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "workers/tokenizer/ids_lines.h"

// The first byte is the window; whatever parses holds whole windows of ids that are not negative.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const int64_t window = data[0] % 16 + 1;
  bool any = false;
  const auto check = [&](std::span<const int32_t> ids) {
    any = true;
    if (static_cast<int64_t>(ids.size()) != window) std::abort();
    for (const int32_t id : ids) {
      if (id < 0) std::abort();
    }
    return absl::OkStatus();
  };
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (bitwright::worker::ParseIdLines(text, window, check).ok() && !any) std::abort();
  return 0;
}
