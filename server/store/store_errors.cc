#include "server/store/store_errors.h"

#include <string>

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::server {

absl::Status StoreFailedError(std::string_view what, std::string_view why) {
  return MakeError(absl::StatusCode::kInternal, Reason::kStoreFailed,
                   "the database failed to " + std::string(what) + ": " + std::string(why) +
                       "; see the server's log and the disk of its data directory",
                   {{"operation", std::string(what)}});
}

absl::Status StoreDiskFullError(std::string_view what) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kDiskFull,
                   "the disk of the data directory is full, the database could not " + std::string(what) +
                       "; make room and try again");
}

absl::Status StoreNewerError(std::string_view path, int found, int known) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "STORE_NEWER",
                   "database '" + std::string(path) + "' has schema version " + std::to_string(found) +
                       ", this program knows versions up to " + std::to_string(known) +
                       "; run the newer bitwrightd or give another --data-dir",
                   {{"file", std::string(path)}});
}

}  // namespace bitwright::server
