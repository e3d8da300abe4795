#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workers/tokenizer/ids_lines.h"

// The first byte is the window; whatever parses holds whole windows of ids that are not negative.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const int64_t window = data[0] % 16 + 1;
  const auto ids = bitwright::worker::ParseIdLines({reinterpret_cast<const char*>(data) + 1, size - 1}, window);
  if (!ids.ok()) return 0;
  if (ids->empty() || static_cast<int64_t>(ids->size()) % window != 0) std::abort();
  for (const int32_t id : *ids) {
    if (id < 0) std::abort();
  }
  return 0;
}
