#include "server/auth/token_file.h"

#include "proto/base/files.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "server/auth/auth_errors.h"

namespace bitwright::server {

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path) {
  std::unique_ptr<TokenFile> file(new TokenFile(path));
  ABSL_ASSIGN_OR_RETURN(auto principals, file->Read());
  absl::MutexLock lock(&file->mutex_);
  file->principals_ = std::move(principals);
  return file;
}

absl::StatusOr<std::shared_ptr<const Principals>> TokenFile::Read() {
  seen_ = StampOf(path_);  // before the bytes: what is written meanwhile is seen the next time
  ABSL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path_, TokensFileUnreadableError));
  constexpr mode_t kOthers = 077;
  if ((seen_.mode & kOthers) != 0) {
    LOG(WARNING) << "tokens file '" << path_ << "' is open to other users than its owner; chmod 600 keeps them out";
  }
  ABSL_ASSIGN_OR_RETURN(Principals principals, Principals::Parse(text, path_));
  return std::make_shared<const Principals>(std::move(principals));
}

void TokenFile::Look() {
  if (StampOf(path_) == seen_) return;
  auto principals = Read();
  if (!principals.ok()) {
    LOG(ERROR) << "the tokens of before stay valid: " << std::string(principals.status().message());
    return;
  }
  LOG(INFO).With("principals", (*principals)->size()) << "tokens file '" << path_ << "' was read again";
  absl::MutexLock lock(&mutex_);
  principals_ = *std::move(principals);
}

absl::StatusOr<Principal> TokenFile::Authenticate(const Credentials& credentials) const {
  std::shared_ptr<const Principals> principals;
  {
    absl::MutexLock lock(&mutex_);
    principals = principals_;
  }
  const bool token = !credentials.bearer_token.empty();
  const Principal* principal =
      token ? principals->OfToken(credentials.bearer_token) : principals->OfCertificate(credentials.certificate_name);
  if (principal != nullptr) return *principal;
  return token ? CredentialsInvalidError() : CredentialsMissingError();
}

}  // namespace bitwright::server
