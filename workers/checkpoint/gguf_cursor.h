#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/base/status_macros.h"

namespace bitwright::worker {

// Reads the header of a GGUF file front to back; each length is held against the bytes left before it is followed.
// `what` names in errors what was being read. Does not own the bytes, and allocates nothing. Not thread-safe.
class GgufCursor {
 public:
  GgufCursor(std::string_view file, std::string_view bytes) : file_(file), bytes_(bytes) {}

  std::string_view file() const { return file_; }
  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }
  // What was read since byte `begin`.
  std::string_view Since(uint64_t begin) const { return bytes_.substr(begin, at_ - begin); }

  // GGUF_TRUNCATED, as all that follow.
  absl::StatusOr<std::string_view> Bytes(uint64_t size, std::string_view what);

  template <typename T>
  absl::StatusOr<T> Number(std::string_view what) {
    ABSL_ASSIGN_OR_RETURN(const std::string_view bytes, Bytes(sizeof(T), what));
    T number;
    std::memcpy(&number, bytes.data(), sizeof(T));
    return number;
  }

  // A u64 length and the bytes of a string.
  absl::StatusOr<std::string_view> Text(std::string_view what);

  // A u64 count of things that have at least `least_bytes` each in the `left` bytes. GGUF_COUNT_TOO_LARGE: they cannot
  // be there, or are more than `limit`.
  absl::StatusOr<uint64_t> Count(std::string_view what, uint64_t least_bytes, uint64_t limit);

 private:
  std::string_view file_;
  std::string_view bytes_;
  uint64_t at_ = 0;
};

}  // namespace bitwright::worker
