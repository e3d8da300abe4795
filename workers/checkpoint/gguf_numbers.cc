#include "workers/checkpoint/gguf_numbers.h"

#include <cstring>
#include <limits>
#include <type_traits>

namespace bitwright::worker {
namespace {

// Of a value whose elements lie there as `Stored`. Truths, integers and reals are never taken for one another.
template <typename T, typename Stored>
std::optional<std::vector<T>> Widened(const GgufValue& value) {
  constexpr bool kFits = std::is_same_v<T, bool> == std::is_same_v<Stored, bool> &&
                         std::is_floating_point_v<T> == std::is_floating_point_v<Stored>;
  if constexpr (!kFits) {
    return std::nullopt;
  } else {
    std::vector<T> numbers;
    const std::string_view bytes = value.elements();
    numbers.reserve(value.count);
    for (size_t at = 0; at < bytes.size(); at += sizeof(Stored)) {
      Stored number;
      std::memcpy(&number, bytes.data() + at, sizeof(Stored));
      if constexpr (std::is_same_v<Stored, uint64_t>) {
        if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
      }
      numbers.push_back(static_cast<T>(number));
    }
    return numbers;
  }
}

}  // namespace

template <typename T>
std::optional<std::vector<T>> NumbersIn(const GgufValue& value) {
  switch (value.element) {
    case GgufKind::kU8:
      return Widened<T, uint8_t>(value);
    case GgufKind::kI8:
      return Widened<T, int8_t>(value);
    case GgufKind::kU16:
      return Widened<T, uint16_t>(value);
    case GgufKind::kI16:
      return Widened<T, int16_t>(value);
    case GgufKind::kU32:
      return Widened<T, uint32_t>(value);
    case GgufKind::kI32:
      return Widened<T, int32_t>(value);
    case GgufKind::kF32:
      return Widened<T, float>(value);
    case GgufKind::kBool:
      return Widened<T, bool>(value);
    case GgufKind::kU64:
      return Widened<T, uint64_t>(value);
    case GgufKind::kI64:
      return Widened<T, int64_t>(value);
    case GgufKind::kF64:
      return Widened<T, double>(value);
    case GgufKind::kString:
    case GgufKind::kArray:
      return std::nullopt;
  }
  return std::nullopt;
}

template std::optional<std::vector<bool>> NumbersIn(const GgufValue&);
template std::optional<std::vector<int64_t>> NumbersIn(const GgufValue&);
template std::optional<std::vector<double>> NumbersIn(const GgufValue&);

}  // namespace bitwright::worker
