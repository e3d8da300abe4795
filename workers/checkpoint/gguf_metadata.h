#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_value.h"

namespace bitwright::worker {

struct GgufEntry {
  std::string_view key;
  GgufValue value;
};

// The metadata of a GGUF file: keys, each once, with typed values. Views into the file; thread-safe once read.
// The getters refuse with GGUF_KEY_MISSING or, where the value is of another kind, GGUF_VALUE_KIND_WRONG.
class GgufMetadata {
 public:
  // ggml's own limit of a key, and what bounds the memory of a hostile file. Real files have some 30 to 60 entries.
  static constexpr uint64_t kMaxKeyBytes = 65'535;
  static constexpr uint64_t kMaxEntries = 65'536;
  // A key of one byte after its length, the number of a kind, and one byte.
  static constexpr uint64_t kLeastEntryBytes = 8 + 1 + 4 + 1;

  // Errors of the cursor, GGUF_KEY_INVALID, GGUF_DUPLICATE_KEY, GGUF_VALUE_INVALID.
  static absl::StatusOr<GgufMetadata> Read(GgufCursor& cursor, uint64_t count);

  const std::vector<GgufEntry>& entries() const { return entries_; }  // in the order of the file
  bool Has(std::string_view key) const { return index_.contains(key); }
  absl::StatusOr<GgufValue> Find(std::string_view key) const;

  absl::StatusOr<std::string_view> Text(std::string_view key) const;
  absl::StatusOr<bool> Truth(std::string_view key) const;
  absl::StatusOr<int64_t> Integer(std::string_view key) const;  // of any integer kind, below 2^63
  absl::StatusOr<double> Real(std::string_view key) const;      // of f32 or f64

  // The same of arrays.
  absl::StatusOr<std::vector<std::string_view>> Texts(std::string_view key) const;
  absl::StatusOr<std::vector<bool>> Truths(std::string_view key) const;
  absl::StatusOr<std::vector<int64_t>> Integers(std::string_view key) const;
  absl::StatusOr<std::vector<double>> Reals(std::string_view key) const;

 private:
  enum class Form { kOne, kArray };
  absl::StatusOr<std::vector<std::string_view>> TextsOf(std::string_view key, Form form) const;
  template <typename T>
  absl::StatusOr<std::vector<T>> NumbersOf(std::string_view key, Form form) const;
  absl::Status Wrong(std::string_view key, const GgufValue& value, Form form, std::string_view wanted) const;

  std::string file_;
  std::vector<GgufEntry> entries_;
  std::map<std::string_view, size_t> index_;
};

}  // namespace bitwright::worker
