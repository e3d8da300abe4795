#include "workers/agent/blob_client.h"

#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "proto/transfer/blob_download.h"
#include "proto/transfer/blob_upload.h"
#include "proto/transfer/local_file.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {

absl::Status BlobClient::Upload(std::span<const FileToUpload> files, const CancelToken& cancel) {
  const TransferContext context = Context(cancel);
  ABSL_ASSIGN_OR_RETURN(const auto missing, FindMissingFiles(context, files));
  for (const FileToUpload& lacking : missing) {
    if (const int error = Failpoint("agent.before_upload"); error != 0) return FileNotReadError(lacking.path, error);
    ABSL_ASSIGN_OR_RETURN(const LocalFile file,
                          LocalFile::Open(lacking.path, kOutputErrors, LocalFile::Links::kRefuse));
    if (file.size_bytes() != lacking.digest.size_bytes) {
      return OutputUnusableError(lacking.path, "has changed its size");
    }
    ABSL_RETURN_IF_ERROR(UploadBlob(context, file, lacking.digest));
  }
  return absl::OkStatus();
}

absl::Status BlobClient::Download(const BlobPart& part, const std::string& path, const CancelToken& cancel) {
  return DownloadPart(Context(cancel), part, path,
                      {.unwritable = BlobUnwritableError, .corrupt = DownloadCorruptError, .durable = true});
}

}  // namespace bitwright::worker
