#include "client/cli/out_dir.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "client/api/client_errors.h"
#include "client/cli/cli_errors.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

namespace fs = std::filesystem;

std::string OutDir::Nearest() const {
  std::error_code error;
  fs::path at = fs::absolute(path_, error).lexically_normal();
  while (at.has_relative_path() && !fs::exists(fs::symlink_status(at, error))) at = at.parent_path();
  return at.string();
}

absl::Status OutDir::Check() const {
  std::error_code error;
  const std::string nearest = Nearest();
  if (!fs::is_directory(nearest, error)) {
    return OutNotAFolderError(fs::exists(fs::symlink_status(path_, error)) ? path_ : nearest);
  }
  // Effective rights, as open(2) will look at them; also of a file system that is mounted read-only.
  if (::faccessat(AT_FDCWD, nearest.c_str(), W_OK | X_OK, AT_EACCESS) != 0) return FileUnwritableError(nearest, errno);
  if (!fs::exists(fs::symlink_status(path_, error))) return absl::OkStatus();
  const bool empty = fs::is_empty(path_, error);
  if (error) return FileUnreadableError(path_, error.value());
  if (empty || force_ || fs::exists(mark(), error)) return absl::OkStatus();
  return OutNotEmptyError(path_);
}

absl::Status OutDir::CheckRoom(int64_t bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(Nearest(), error);
  if (error) return absl::OkStatus();  // a file system that does not tell
  const auto available = static_cast<int64_t>(std::min<uintmax_t>(space.available, INT64_MAX));
  return available < bytes ? OutTooSmallError(path_, bytes, available) : absl::OkStatus();
}

absl::Status OutDir::Begin() const {
  ABSL_RETURN_IF_ERROR(Check());
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) return FileUnwritableError(path_, error.value());
  if (!fs::exists(mark(), error)) {
    for (const std::string& old : {model_dir(), report_json(), report_text(), report_html()}) {
      fs::remove_all(old, error);
      if (error) return FileUnwritableError(old, error.value());
    }
  }
  return WriteWholeFile(mark(), "A download into this folder has not ended. Call again to continue it.\n",
                        FileUnwritableError);
}

absl::Status OutDir::Finish() const {
  std::error_code error;
  fs::remove(mark(), error);
  if (error) return FileUnwritableError(mark(), error.value());
  return absl::OkStatus();
}

}  // namespace bitwright::client
