#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace bitwright::worker {

// The tokens of a model, by id and by text. Ids may have holes. Immutable, thread-safe.
class Vocabulary {
 public:
  using Entry = std::pair<std::string, int32_t>;

  // Ids are not negative. TOKENIZER_INVALID: two tokens with one id, one token twice.
  static absl::StatusOr<Vocabulary> Create(std::vector<Entry> entries);
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  std::optional<int32_t> IdOf(std::string_view token) const;
  bool Has(int64_t id) const;
  int64_t count() const { return static_cast<int64_t>(ids_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }  // by id; empty where there is none

  // The tokens that stand for the bytes of `text` where nothing else does: <0x00> to <0xFF>. Appends their ids; false,
  // with nothing appended, when one is missing.
  bool AppendByteTokens(std::string_view text, std::vector<int32_t>& ids) const;

 private:
  Vocabulary() = default;
  std::vector<std::string> tokens_;
  absl::flat_hash_map<std::string_view, int32_t> ids_;  // views into tokens_
  std::array<int32_t, 256> byte_tokens_{};              // -1: not in the vocabulary
};

// Such as "<0x0A>".
std::string ByteTokenOf(uint8_t byte);
std::optional<uint8_t> ByteOfToken(std::string_view token);

}  // namespace bitwright::worker
