#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// A value of tokenizer.json that knows its path, so that every error names the field. Points into the document, which
// must outlive it. All errors are TOKENIZER_INVALID.
class JsonField {
 public:
  JsonField(const nlohmann::json* value, std::string path) : value_(value), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool is_null() const;  // null or absent
  bool is_array() const;
  bool Has(std::string_view key) const;  // an object with this key

  absl::StatusOr<JsonField> At(std::string_view key) const;        // the key must be there
  absl::StatusOr<JsonField> Optional(std::string_view key) const;  // is_null() when it is not
  absl::StatusOr<std::vector<JsonField>> Items() const;            // of an array
  absl::StatusOr<std::string> String() const;
  absl::StatusOr<bool> Bool() const;
  absl::StatusOr<bool> BoolOr(bool absent) const;
  absl::StatusOr<int32_t> Id() const;  // in [0, kMaxVocabulary)
  absl::StatusOr<std::string> StringAt(std::string_view key) const;
  absl::StatusOr<bool> BoolAt(std::string_view key) const;

 private:
  absl::Status MustBe(std::string_view kind) const;
  const nlohmann::json* value_;  // null: absent
  std::string path_;
};

}  // namespace bitwright::worker
