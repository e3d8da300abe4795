#include "client/cli/out_dir.h"

#include <filesystem>

#include "client/api/client_errors.h"
#include "client/cli/cli_errors.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

namespace fs = std::filesystem;

absl::Status OutDir::Check() const {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path_, error))) return absl::OkStatus();
  if (!fs::is_directory(path_, error)) return OutNotAFolderError(path_);
  const bool empty = fs::is_empty(path_, error);
  if (error) return FileUnreadableError(path_, error.value());
  if (empty || force_ || fs::exists(mark(), error)) return absl::OkStatus();
  return OutNotEmptyError(path_);
}

absl::Status OutDir::Begin() const {
  ABSL_RETURN_IF_ERROR(Check());
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) return FileUnwritableError(path_, error.value());
  if (!fs::exists(mark(), error)) {
    for (const std::string& old : {model_dir(), report_json(), report_text()}) {
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
