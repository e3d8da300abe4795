#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "workers/tokenizer/vocabulary.h"

namespace bitwright::worker {

// Ids on their way to whoever asked for them, handed on many at a time. An error of the sink stays that of the call.
class IdBuffer {
 public:
  using Sink = absl::FunctionRef<absl::Status(std::span<const int32_t> ids)>;
  // What `sink` refers to must outlive the buffer.
  explicit IdBuffer(Sink sink) : sink_(sink) {}

  std::vector<int32_t> ids;  // to be appended to
  // Hands on, once there are enough.
  absl::Status PassOn() { return ids.size() < kMost ? absl::OkStatus() : Finish(); }
  // Hands on what is left.
  absl::Status Finish() {
    if (ids.empty()) return absl::OkStatus();
    const absl::Status status = sink_(ids);
    ids.clear();
    return status;
  }

 private:
  static constexpr size_t kMost = 1 << 16;
  Sink sink_;
};

// The part of a tokenizer that gives the ids of a piece of text. Immutable, thread-safe.
class TokenModel {
 public:
  // Encodes pieces of one text; remembers pieces it has seen. One thread at a time; the model must outlive it.
  class Encoder {
   public:
    virtual ~Encoder() = default;
    // Appends the ids of a non-empty piece of well-formed UTF-8, and passes on what has come together. TEXT_TOO_LONG:
    // more than kMaxPieceBytes that no token's edge can cut.
    virtual absl::Status Encode(std::string_view piece, IdBuffer& out) = 0;
  };

  virtual ~TokenModel() = default;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual std::unique_ptr<Encoder> NewEncoder() const = 0;

  static constexpr int64_t kMaxPieceBytes = 16 << 20;
};

}  // namespace bitwright::worker
