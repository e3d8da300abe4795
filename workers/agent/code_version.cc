#include "workers/agent/code_version.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {

absl::StatusOr<FileDigest> DigestFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileFailed(path, "opened", errno);
  Sha256 hash;
  FileDigest digest;
  std::vector<char> buffer(1 << 20);
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      ::close(fd);
      return FileFailed(path, "read", error);
    }
    hash.Update(buffer.data(), static_cast<size_t>(got));
    digest.size_bytes += got;
  }
  ::close(fd);
  digest.sha256 = hash.Finish();
  return digest;
}

absl::StatusOr<std::string> CodeVersion(const std::string& executable) {
  ABSL_ASSIGN_OR_RETURN(const FileDigest digest, DigestFile(executable));
  return std::string(BITWRIGHT_VERSION) + "-" + digest.sha256.substr(0, 16);
}

}  // namespace bitwright::worker
