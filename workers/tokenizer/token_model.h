#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "workers/tokenizer/vocabulary.h"

namespace bitwright::worker {

// The part of a tokenizer that gives the ids of a piece of text. Immutable, thread-safe.
class TokenModel {
 public:
  // Encodes pieces of one text; may remember pieces it has seen, so views must live as long as the encoder. One thread
  // at a time; the model must outlive it.
  class Encoder {
   public:
    virtual ~Encoder() = default;
    // Appends the ids of a non-empty piece of well-formed UTF-8. TEXT_TOO_LONG: more than kMaxPieceBytes that no
    // token's edge can cut.
    virtual absl::Status Encode(std::string_view piece, std::vector<int32_t>& ids) = 0;
  };

  virtual ~TokenModel() = default;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual std::unique_ptr<Encoder> NewEncoder() const = 0;

  static constexpr int64_t kMaxPieceBytes = 16 << 20;
};

}  // namespace bitwright::worker
