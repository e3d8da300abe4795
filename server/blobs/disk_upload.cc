#include "server/blobs/disk_upload.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "server/blobs/blob_errors.h"

namespace bitwright::server {
namespace {

class DiskUpload final : public BlobUpload {
 public:
  DiskUpload(const DiskFiles& files, BlobDigest digest, DiskUploadPaths paths, std::function<void()> on_close,
             OpenFile file)
      : files_(files),
        digest_(std::move(digest)),
        paths_(std::move(paths)),
        on_close_(std::move(on_close)),
        file_(std::move(file)) {}
  ~DiskUpload() override { on_close_(); }

  int64_t committed() const override { return committed_; }

  absl::Status Append(std::string_view data) override { return DiscardUnlessOk(TryAppend(data)); }
  absl::Status Prepare() override { return DiscardUnlessOk(TryPrepare()); }
  absl::Status Publish() override { return DiscardUnlessOk(TryPublish()); }
  void Discard() override { ::unlink(paths_.partial.c_str()); }

  absl::Status HashWhatIsThere() {
    struct stat info;
    if (::fstat(file_.fd(), &info) != 0) return BlobUnreadableError(paths_.partial, errno);
    std::vector<char> buffer(std::min<int64_t>(info.st_size, limits::kStreamChunkBytes));
    while (committed_ < info.st_size) {
      const size_t size = std::min<int64_t>(buffer.size(), info.st_size - committed_);
      ABSL_RETURN_IF_ERROR(ReadAt(file_, paths_.partial, committed_, buffer.data(), size));
      hash_.Update(buffer.data(), size);
      committed_ += static_cast<int64_t>(size);
    }
    return absl::OkStatus();
  }

 private:
  // A full disk must not stay full with what nobody can finish, and a wrong upload is of no use.
  absl::Status DiscardUnlessOk(absl::Status status) {
    if (!status.ok()) Discard();
    return status;
  }

  absl::Status TryAppend(std::string_view data) {
    if (static_cast<int64_t>(data.size()) > digest_.size_bytes - committed_) return UploadTooLongError(digest_);
    ABSL_RETURN_IF_ERROR(files_.WriteAt(file_, paths_.partial, committed_, data));
    hash_.Update(data);
    committed_ += static_cast<int64_t>(data.size());
    return absl::OkStatus();
  }

  absl::Status TryPrepare() {
    const BlobDigest found{hash_.Finish(), committed_};
    if (found != digest_) return DigestMismatchError(digest_, found);
    return files_.Sync(file_, paths_.partial);
  }

  absl::Status TryPublish() {
    ABSL_RETURN_IF_ERROR(files_.MakeFolder(paths_.folder));
    ABSL_RETURN_IF_ERROR(files_.Rename(paths_.partial, paths_.blob));
    return files_.SyncFolder(paths_.folder);
  }

  const DiskFiles& files_;
  BlobDigest digest_;
  DiskUploadPaths paths_;
  std::function<void()> on_close_;
  OpenFile file_;
  Sha256 hash_;
  int64_t committed_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobUpload>> OpenDiskUpload(const DiskFiles& files, const BlobDigest& digest,
                                                           DiskUploadPaths paths, std::function<void()> on_close) {
  auto file = files.OpenForWriting(paths.partial);
  if (!file.ok()) {
    on_close();
    return file.status();
  }
  auto upload = std::make_unique<DiskUpload>(files, digest, std::move(paths), std::move(on_close), *std::move(file));
  ABSL_RETURN_IF_ERROR(upload->HashWhatIsThere());
  return std::unique_ptr<BlobUpload>(std::move(upload));
}

}  // namespace bitwright::server
