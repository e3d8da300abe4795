#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/file_stamp.h"
#include "server/auth/authenticator.h"
#include "server/auth/principals.h"

namespace bitwright::server {

// Those whom a tokens file lists (proto/contract/principals.h states its form). Thread-safe.
class TokenFile final : public Authenticator {
 public:
  // TOKENS_FILE_UNREADABLE, and errors of Principals::Parse. Warns when others than the owner may read the file.
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(const std::string& path);

  // To be called each second: takes up a file that was replaced or changed. One that cannot be read or is wrong is said
  // once in the log, and what was there stays. Calls that were let in go on.
  void Look();

  // A token decides alone, whatever certificate came with it.
  absl::StatusOr<Principal> Authenticate(const Credentials& credentials) const override;

 private:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}
  absl::StatusOr<std::shared_ptr<const Principals>> Read();

  const std::string path_;
  FileStamp seen_;  // of Open and Look only
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Principals> principals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
