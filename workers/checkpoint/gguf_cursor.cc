#include "workers/checkpoint/gguf_cursor.h"

#include <algorithm>

#include "workers/checkpoint/gguf_errors.h"

namespace bitwright::worker {

absl::StatusOr<std::string_view> GgufCursor::Bytes(uint64_t size, std::string_view what) {
  if (size > left()) return GgufTruncatedError(file_, what, at_, size, left());
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

absl::StatusOr<std::string_view> GgufCursor::Text(std::string_view what) {
  ABSL_ASSIGN_OR_RETURN(const uint64_t size, Number<uint64_t>(what));
  return Bytes(size, what);
}

absl::StatusOr<uint64_t> GgufCursor::Count(std::string_view what, uint64_t least_bytes, uint64_t limit) {
  const uint64_t begin = at_;
  ABSL_ASSIGN_OR_RETURN(const uint64_t count, Number<uint64_t>(what));
  const uint64_t most = std::min(limit, left() / least_bytes);
  if (count > most) return GgufCountTooLargeError(file_, what, begin, count, most);
  return count;
}

}  // namespace bitwright::worker
