#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright {

namespace v1 {
class Digest;
}

// Name of a blob: SHA-256 in lower-case hexadecimal and exact size in bytes.
struct BlobDigest {
  std::string sha256;
  int64_t size_bytes = 0;

  auto operator<=>(const BlobDigest&) const = default;

  // "{sha256}/{size_bytes}"
  std::string ToString() const;
};

// Bytes [offset, offset + bytes.size_bytes) of a blob, and their own digest.
struct BlobPart {
  BlobDigest blob;
  int64_t offset = 0;
  BlobDigest bytes;
};

// Whether the text is a SHA-256 as it is written here: 64 lower-case hexadecimal digits.
bool IsSha256Hex(std::string_view text);

// Accepts exactly 64 lower-case hexadecimal digits and a size in 0 … limits::kMaxBlobBytes.
// INVALID_ARGUMENT, reason DIGEST_INVALID.
absl::StatusOr<BlobDigest> ParseDigest(std::string_view sha256, int64_t size_bytes);
absl::StatusOr<BlobDigest> ParseDigest(std::string_view text);  // "{sha256}/{size_bytes}"
absl::StatusOr<BlobDigest> FromProto(const v1::Digest& digest);
v1::Digest ToProto(const BlobDigest& digest);

// SHA-256 of a stream of bytes. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(const void* data, size_t size);
  void Update(std::string_view data) { Update(data.data(), data.size()); }
  // Lower-case hexadecimal of what was fed so far. Call once.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(std::string_view data);
BlobDigest DigestOf(std::string_view data);

}  // namespace bitwright
