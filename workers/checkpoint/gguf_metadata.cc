#include "workers/checkpoint/gguf_metadata.h"

#include <type_traits>

#include "workers/checkpoint/gguf_errors.h"
#include "workers/checkpoint/gguf_numbers.h"

namespace bitwright::worker {
absl::StatusOr<GgufMetadata> GgufMetadata::Read(GgufCursor& cursor, uint64_t count) {
  GgufMetadata metadata;
  metadata.file_ = cursor.file();
  metadata.entries_.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = cursor.at();
    ABSL_ASSIGN_OR_RETURN(const std::string_view key, cursor.Text("a metadata key"));
    if (key.empty() || key.size() > kMaxKeyBytes) {
      return GgufKeyInvalidError(cursor.file(), key, begin, key.size(), kMaxKeyBytes);
    }
    if (!metadata.index_.emplace(key, i).second) return GgufDuplicateKeyError(cursor.file(), key, begin);
    ABSL_ASSIGN_OR_RETURN(const GgufValue value, ReadGgufValue(cursor, key));
    metadata.entries_.push_back({key, value});
  }
  return metadata;
}

absl::StatusOr<GgufValue> GgufMetadata::Find(std::string_view key) const {
  const auto found = index_.find(key);
  if (found == index_.end()) return GgufKeyMissingError(file_, key);
  return entries_[found->second].value;
}

absl::Status GgufMetadata::Wrong(std::string_view key, const GgufValue& value, Form form,
                                 std::string_view wanted) const {
  const std::string kind = (value.is_array() ? "array of " : "") + std::string(GgufKindName(value.element));
  return GgufValueKindWrongError(file_, key, kind, (form == Form::kArray ? "array of " : "") + std::string(wanted));
}

absl::StatusOr<std::vector<std::string_view>> GgufMetadata::TextsOf(std::string_view key, Form form) const {
  ABSL_ASSIGN_OR_RETURN(const GgufValue value, Find(key));
  const bool fits = value.element == GgufKind::kString && value.is_array() == (form == Form::kArray);
  if (!fits) return Wrong(key, value, form, "string");
  std::vector<std::string_view> texts;
  texts.reserve(value.count);
  GgufCursor cursor(file_, value.elements());
  for (uint64_t i = 0; i < value.count; ++i) {
    ABSL_ASSIGN_OR_RETURN(const std::string_view text, cursor.Text(key));
    texts.push_back(text);
  }
  return texts;
}

template <typename T>
absl::StatusOr<std::vector<T>> GgufMetadata::NumbersOf(std::string_view key, Form form) const {
  constexpr std::string_view kWanted = std::is_same_v<T, bool>     ? "bool"
                                       : std::is_same_v<T, double> ? "f32 or f64"
                                                                   : "an integer kind, below 2^63";
  ABSL_ASSIGN_OR_RETURN(const GgufValue value, Find(key));
  auto numbers = NumbersIn<T>(value);
  if (!numbers || value.is_array() != (form == Form::kArray)) return Wrong(key, value, form, kWanted);
  return *std::move(numbers);
}

absl::StatusOr<std::string_view> GgufMetadata::Text(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(const auto texts, TextsOf(key, Form::kOne));
  return texts[0];
}

absl::StatusOr<bool> GgufMetadata::Truth(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(const auto truths, NumbersOf<bool>(key, Form::kOne));
  return truths[0];
}

absl::StatusOr<int64_t> GgufMetadata::Integer(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(const auto integers, NumbersOf<int64_t>(key, Form::kOne));
  return integers[0];
}

absl::StatusOr<double> GgufMetadata::Real(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(const auto reals, NumbersOf<double>(key, Form::kOne));
  return reals[0];
}

absl::StatusOr<std::vector<std::string_view>> GgufMetadata::Texts(std::string_view key) const {
  return TextsOf(key, Form::kArray);
}

absl::StatusOr<std::vector<bool>> GgufMetadata::Truths(std::string_view key) const {
  return NumbersOf<bool>(key, Form::kArray);
}

absl::StatusOr<std::vector<int64_t>> GgufMetadata::Integers(std::string_view key) const {
  return NumbersOf<int64_t>(key, Form::kArray);
}

absl::StatusOr<std::vector<double>> GgufMetadata::Reals(std::string_view key) const {
  return NumbersOf<double>(key, Form::kArray);
}

}  // namespace bitwright::worker
