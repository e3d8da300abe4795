#include "proto/contract/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "bitwright/v1/blobs.pb.h"
#include "proto/base/log.h"
#include "proto/contract/contract_errors.h"
#include "proto/contract/limits.h"

namespace bitwright {
namespace {

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string BlobDigest::ToString() const { return sha256 + "/" + std::to_string(size_bytes); }

bool IsSha256Hex(std::string_view text) {
  constexpr size_t kDigits = 64;
  return text.size() == kDigits && std::all_of(text.begin(), text.end(), IsLowerHex);
}

absl::StatusOr<BlobDigest> ParseDigest(std::string_view sha256, int64_t size_bytes) {
  if (!IsSha256Hex(sha256)) {
    return DigestInvalidError(sha256, "the hash has another form");
  }
  if (size_bytes < 0 || size_bytes > limits::kMaxBlobBytes) {
    return DigestInvalidError(
        sha256, "the size " + std::to_string(size_bytes) + " is outside 0.." + std::to_string(limits::kMaxBlobBytes));
  }
  return BlobDigest{std::string(sha256), size_bytes};
}

absl::StatusOr<BlobDigest> ParseDigest(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return DigestInvalidError(text, "'/' is missing");
  const std::string_view size = text.substr(slash + 1);
  int64_t value = -1;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), value);
  const bool canonical = !size.empty() && (size.size() == 1 || size[0] != '0') && size[0] != '-';
  if (error != std::errc() || end != size.data() + size.size() || !canonical) {
    return DigestInvalidError(text, "the size is not a decimal number");
  }
  return ParseDigest(text.substr(0, slash), value);
}

absl::StatusOr<BlobDigest> FromProto(const v1::Digest& digest) {
  return ParseDigest(digest.sha256(), digest.size_bytes());
}

v1::Digest ToProto(const BlobDigest& digest) {
  v1::Digest proto;
  proto.set_sha256(digest.sha256);
  proto.set_size_bytes(digest.size_bytes);
  return proto;
}

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  CHECK(context_->evp != nullptr && EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(const void* data, size_t size) { CHECK(EVP_DigestUpdate(context_->evp, data, size) == 1); }

std::string Sha256::Finish() {
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  CHECK(EVP_DigestFinal_ex(context_->evp, raw, &size) == 1);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[raw[i] >> 4];
    text += kHex[raw[i] & 15];
  }
  return text;
}

std::string Sha256Hex(std::string_view data) {
  Sha256 hash;
  hash.Update(data);
  return hash.Finish();
}

BlobDigest DigestOf(std::string_view data) { return {Sha256Hex(data), static_cast<int64_t>(data.size())}; }

}  // namespace bitwright
