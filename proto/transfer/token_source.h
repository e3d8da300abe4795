#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace bitwright {

// The token of a file, read anew when a server no longer takes it. Thread-safe.
class TokenSource {
 public:
  // ACCESS_FILE_UNREADABLE; TOKEN_FILE_INVALID: the first line is no token.
  static absl::StatusOr<std::unique_ptr<TokenSource>> Open(const std::string& path);

  std::string token() const;
  // After a server refused `refused`: whether there is another one by now. The file is read only while the refused one
  // is what it gave last; when it cannot be read, the old token stays.
  bool Renew(const std::string& refused);

 private:
  TokenSource(std::string path, std::string token) : path_(std::move(path)), token_(std::move(token)) {}

  const std::string path_;
  mutable absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright
