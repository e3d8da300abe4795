#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_cursor.h"
#include "workers/checkpoint/gguf_kinds.h"

namespace bitwright::worker {

// A metadata value as it lies in a file, and checked: its strings end within it, each truth is 0 or 1, and arrays hold
// no arrays. A view: does not own the bytes.
struct GgufValue {
  GgufKind kind = GgufKind::kU8;
  GgufKind element = GgufKind::kU8;  // of an array; otherwise as `kind`
  uint64_t count = 1;                // elements of an array; otherwise 1
  std::string_view encoded;          // the bytes that follow the number of the kind

  bool is_array() const { return kind == GgufKind::kArray; }
  // Without the head of an array.
  std::string_view elements() const { return is_array() ? encoded.substr(kArrayHead) : encoded; }

  static constexpr size_t kArrayHead = 4 + 8;
};

// Reads the number of a kind and the value; `key` names it in errors. Errors of the cursor and GGUF_VALUE_INVALID.
absl::StatusOr<GgufValue> ReadGgufValue(GgufCursor& cursor, std::string_view key);

}  // namespace bitwright::worker
