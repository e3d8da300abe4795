#include "proto/transfer/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"

namespace bitwright {
namespace {

constexpr int64_t kBlock = 1 << 20;

}  // namespace

absl::StatusOr<LocalFile> LocalFile::Open(const std::string& path, const LocalFileErrors& errors, Links links) {
  const int refusal = links == Links::kRefuse ? O_NOFOLLOW : 0;
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | refusal));
  struct stat info {};
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return errors.unreadable(path, errno);
  if (!S_ISREG(info.st_mode)) return errors.unreadable(path, S_ISDIR(info.st_mode) ? EISDIR : EINVAL);
  return LocalFile(std::move(fd), path, info.st_size, errors);
}

absl::Status LocalFile::Read(int64_t offset, char* data, size_t size) const {
  if (const int error = Failpoint("transfer.read"); error != 0) return errors_.unreadable(path_, error);
  const ssize_t got = ReadAt(fd_.get(), offset, data, size);
  if (got < 0) return errors_.unreadable(path_, errno);
  return static_cast<size_t>(got) < size ? errors_.shrank(path_, size_bytes_) : absl::OkStatus();
}

absl::StatusOr<std::string> LocalFile::Head(int64_t most) const {
  std::string head(static_cast<size_t>(std::min(most, size_bytes_)), '\0');
  ABSL_RETURN_IF_ERROR(Read(0, head.data(), head.size()));
  return head;
}

absl::Status LocalFile::HashTo(Sha256& hash, const CancelToken& cancel,
                               const std::function<void(int64_t)>& on_bytes) const {
  std::string block(static_cast<size_t>(std::min(kBlock, size_bytes_)), '\0');
  for (int64_t offset = 0; offset < size_bytes_; offset += kBlock) {
    ABSL_RETURN_IF_ERROR(cancel.Check());
    const size_t size = static_cast<size_t>(std::min(kBlock, size_bytes_ - offset));
    ABSL_RETURN_IF_ERROR(Read(offset, block.data(), size));
    hash.Update(block.data(), size);
    if (on_bytes) on_bytes(static_cast<int64_t>(size));
  }
  return absl::OkStatus();
}

}  // namespace bitwright
