#include "proto/transfer/token_source.h"

#include <algorithm>

#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/transfer/access_errors.h"

namespace bitwright {
namespace {

// Of metadata, of which a server takes 16 KiB in all.
constexpr size_t kMostTokenBytes = 1024;

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(std::string token, ReadWholeFile(path, AccessFileUnreadableError));
  token.erase(std::min(token.find_first_of("\r\n"), token.size()));
  if (token.empty()) return TokenFileInvalidError(path, "begins with an empty line");
  if (token.size() > kMostTokenBytes) {
    return TokenFileInvalidError(path, "has a first line of more than " + std::to_string(kMostTokenBytes) + " bytes");
  }
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!plain)
    return TokenFileInvalidError(path, "has a space or another character that no token has in its first line");
  return token;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenSource>> TokenSource::Open(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(std::string token, ReadToken(path));
  return std::unique_ptr<TokenSource>(new TokenSource(path, std::move(token)));
}

std::string TokenSource::token() const {
  absl::MutexLock lock(&mutex_);
  return token_;
}

bool TokenSource::Renew(const std::string& refused) {
  absl::MutexLock lock(&mutex_);
  if (token_ != refused) return true;  // another call was faster
  absl::StatusOr<std::string> token = ReadToken(path_);
  if (!token.ok() || *token == refused) return false;
  token_ = *std::move(token);
  return true;
}

}  // namespace bitwright
