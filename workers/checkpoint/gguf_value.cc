#include "workers/checkpoint/gguf_value.h"

#include <algorithm>
#include <limits>
#include <string>

#include "workers/checkpoint/gguf_errors.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<GgufKind> ReadKind(GgufCursor& cursor, std::string_view key) {
  const uint64_t begin = cursor.at();
  ABSL_ASSIGN_OR_RETURN(const uint32_t number, cursor.Number<uint32_t>("the kind of a metadata value"));
  if (number >= kGgufKinds) {
    return GgufValueInvalidError(cursor.file(), key, begin, "is of the unknown kind " + std::to_string(number));
  }
  return static_cast<GgufKind>(number);
}

absl::Status SkipElements(GgufCursor& cursor, std::string_view key, const GgufValue& value) {
  const uint64_t begin = cursor.at();
  if (value.element == GgufKind::kString) {
    for (uint64_t i = 0; i < value.count; ++i) ABSL_RETURN_IF_ERROR(cursor.Text("a metadata string").status());
    return absl::OkStatus();
  }
  // ReadGgufValue has held the count against the bytes left, so the product is small.
  const uint64_t size = value.count * static_cast<uint64_t>(ByteSize(value.element));
  ABSL_ASSIGN_OR_RETURN(const std::string_view bytes, cursor.Bytes(size, "a metadata value"));
  if (value.element != GgufKind::kBool) return absl::OkStatus();
  const auto wrong = std::find_if(bytes.begin(), bytes.end(), [](char byte) { return byte != 0 && byte != 1; });
  if (wrong == bytes.end()) return absl::OkStatus();
  return GgufValueInvalidError(cursor.file(), key, begin + static_cast<uint64_t>(wrong - bytes.begin()),
                               "has a truth that is neither 0 nor 1");
}

}  // namespace

absl::StatusOr<GgufValue> ReadGgufValue(GgufCursor& cursor, std::string_view key) {
  GgufValue value;
  ABSL_ASSIGN_OR_RETURN(value.kind, ReadKind(cursor, key));
  const uint64_t begin = cursor.at();
  value.element = value.kind;
  if (value.is_array()) {
    ABSL_ASSIGN_OR_RETURN(value.element, ReadKind(cursor, key));
    if (value.element == GgufKind::kArray) {
      return GgufValueInvalidError(cursor.file(), key, begin, "is an array of arrays");
    }
    const int64_t size = ByteSize(value.element);
    const uint64_t least = size > 0 ? static_cast<uint64_t>(size) : 8;  // a string has its length at least
    ABSL_ASSIGN_OR_RETURN(value.count,
                          cursor.Count("elements of a metadata array", least, std::numeric_limits<uint64_t>::max()));
  }
  ABSL_RETURN_IF_ERROR(SkipElements(cursor, key, value));
  value.encoded = cursor.Since(begin);
  return value;
}

}  // namespace bitwright::worker
