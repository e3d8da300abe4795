#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"
#include "proto/transfer/local_file.h"

// Errors that arise on the client's side. Those of the server pass through unchanged.
namespace bitwright::client {

absl::Status ServerUnreachableError(std::string_view address, std::string_view cause);  // SERVER_UNREACHABLE
// UNAVAILABLE, SERVER_NOT_READY; the caller asks again, and says SERVER_UNREACHABLE when it gives up.
absl::Status ServerNotReadyError(std::string_view cause);

absl::Status FileUnreadableError(const std::string& path, int error);       // FILE_UNREADABLE
absl::Status FileUnwritableError(const std::string& path, int error);       // FILE_UNWRITABLE, DISK_FULL
absl::Status FileShrankError(const std::string& path, int64_t size_bytes);  // FILE_CHANGED
inline constexpr LocalFileErrors kFileErrors{FileUnreadableError, FileShrankError};

// A status that some layer between here and the service made without a reason of ours, or without a sentence: with
// both, and with what to do. The code stays, but for CANCELLED, which here would mean that a person did it.
absl::Status ForeignStatusError(std::string_view address, const absl::Status& status, std::string_view reason);

// DISPLAY_NAME_INVALID: what was given as `option` is not UTF-8 or too long.
absl::Status DisplayNameInvalidError(std::string_view option, std::string_view text, std::string_view why);
absl::Status ModelDirInvalidError(const std::string& dir, std::string_view what, std::string_view remedy);
// MODEL_LINK_BROKEN: `link` leads to `target`, which is not there, or is a folder.
absl::Status ModelLinkBrokenError(const std::string& link, std::string_view target, bool folder);
absl::Status ModelRejectedError();                                                     // MODEL_REJECTED
absl::Status RecipeFileInvalidError(const std::string& path, std::string_view what);   // RECIPE_INVALID
absl::Status DownloadCorruptError(const std::string& path, const BlobDigest& digest);  // BLOB_DIGEST_MISMATCH
absl::Status JobNotFinishedError(std::string_view job, std::string_view state);        // JOB_UNFINISHED
absl::Status JobCancelledError(std::string_view job);                                  // JOB_CANCELLED
absl::Status JobFailedError();                                                         // JOB_FAILED
absl::Status ModelPathNotUtf8Error(const std::string& path);                           // MANIFEST_PATH_INVALID
// TOKENIZER_MISSING: text is given to a model folder without tokenizer.json and tokenizer.model.
absl::Status TokenizerMissingError(const std::string& dir);

}  // namespace bitwright::client
