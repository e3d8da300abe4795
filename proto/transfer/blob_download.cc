#include "proto/transfer/blob_download.h"

#include <utility>

#include "proto/base/status_macros.h"
#include "proto/transfer/blob_reader.h"
#include "proto/transfer/part_file.h"
#include "proto/transfer/transfer_errors.h"

namespace bitwright {
namespace {

class BlobDownload {
 public:
  BlobDownload(const TransferContext& context, const BlobPart& wanted, const DownloadOptions& options, PartFile part)
      : context_(context), wanted_(wanted), digest_(wanted.bytes), options_(options), part_(std::move(part)) {}

  absl::Status Run() {
    bool again = part_.size_bytes() > 0;  // it may be of another blob; from the start, the digest must be right
    Tell(part_.size_bytes());
    while (true) {
      ABSL_RETURN_IF_ERROR(Fill());
      if (part_.HasDigest()) return part_.Publish(options_.durable);
      Tell(-part_.size_bytes());
      if (!std::exchange(again, false)) break;
      ABSL_RETURN_IF_ERROR(part_.StartOver());
    }
    part_.Remove();
    return options_.corrupt(part_.part_path(), digest_);
  }

 private:
  void Tell(int64_t bytes) const {
    if (options_.on_bytes) options_.on_bytes(bytes);
  }

  absl::Status Fill() {
    for (RetryLoop retry = context_.Retry(); part_.size_bytes() < digest_.size_bytes;) {
      absl::Status disk;
      absl::Status status = Receive(retry, disk);
      ABSL_RETURN_IF_ERROR(disk);
      if (part_.size_bytes() == digest_.size_bytes) break;
      if (status.ok() || absl::IsDeadlineExceeded(status)) status = StreamEndedError();
      status = retry.WaitAfter(status);
      if (retry.stalled()) return TransferStalledError(digest_, status);
      ABSL_RETURN_IF_ERROR(status);
    }
    return absl::OkStatus();
  }

  // One stream from the next byte that is lacking.
  absl::Status Receive(RetryLoop& retry, absl::Status& disk) {
    BlobReader reader(context_, wanted_.blob, wanted_.offset + part_.size_bytes(),
                      digest_.size_bytes - part_.size_bytes());
    while (true) {
      ABSL_ASSIGN_OR_RETURN(const std::string data, reader.Next());
      if (data.empty()) return absl::OkStatus();
      const int64_t before = part_.size_bytes();
      disk = part_.Append(data);
      if (!disk.ok()) return disk;
      Tell(part_.size_bytes() - before);
      retry.Progressed();
    }
  }

  const TransferContext& context_;
  const BlobPart& wanted_;
  const BlobDigest& digest_;  // of the wanted bytes
  const DownloadOptions& options_;
  PartFile part_;
};

}  // namespace

absl::Status DownloadBlob(const TransferContext& context, const BlobDigest& digest, const std::string& path,
                          const DownloadOptions& options) {
  return DownloadPart(context, {digest, 0, digest}, path, options);
}

absl::Status DownloadPart(const TransferContext& context, const BlobPart& part, const std::string& path,
                          const DownloadOptions& options) {
  ABSL_ASSIGN_OR_RETURN(PartFile file, PartFile::Open(path, part.bytes, options.unwritable, context.cancel));
  return BlobDownload(context, part, options, std::move(file)).Run();
}

}  // namespace bitwright
