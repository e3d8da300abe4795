#include "server/blobs/disk_upload.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "server/blobs/blob_errors.h"
#include "server/blobs/piece_hasher.h"

namespace bitwright::server {
namespace {

// The disk works while the rest of the upload comes, in pieces that are worth a seek.
constexpr int64_t kSyncPiece = 8 << 20;

class DiskUpload final : public BlobUpload {
 public:
  DiskUpload(const DiskFiles& files, BlobDigest digest, DiskUploadPaths paths, std::function<void(int64_t)> on_close,
             OpenFile file, int64_t held)
      : files_(files),
        digest_(std::move(digest)),
        paths_(std::move(paths)),
        on_close_(std::move(on_close)),
        file_(std::move(file)),
        committed_(held) {}
  ~DiskUpload() override {
    if (committed_ == 0) Discard();
    on_close_(gone_ ? 0 : committed_);
  }

  int64_t committed() const override { return committed_; }
  void HashOn(Spawn spawn) override { hash_.HashOn(std::move(spawn)); }

  absl::StatusOr<bool> HashMore(int64_t most_bytes) override {
    while (hashed_ < committed_ && most_bytes > 0) {
      const int64_t size = std::min({committed_ - hashed_, most_bytes, int64_t{limits::kStreamChunkBytes}});
      const auto buffer = std::make_shared<std::vector<char>>(size);
      ABSL_RETURN_IF_ERROR(files_.ReadBack(file_, paths_.partial, hashed_, buffer->data(), buffer->size()));
      hash_.Add({.parts = {{buffer->data(), buffer->size()}}, .owner = buffer});
      hashed_ += size;
      most_bytes -= size;
    }
    return hashed_ == committed_;
  }

  absl::Status Append(Piece piece) override { return DiscardUnlessOk(TryAppend(std::move(piece))); }
  absl::Status Prepare() override { return DiscardUnlessOk(TryPrepare()); }
  absl::Status Publish() override { return DiscardUnlessOk(TryPublish()); }
  void Discard() override {
    if (!gone_) ::unlink(paths_.partial.c_str());
    gone_ = true;
  }

 private:
  // A full disk must not stay full with what nobody can finish, and a wrong upload is of no use.
  absl::Status DiscardUnlessOk(absl::Status status) {
    if (!status.ok()) Discard();
    return status;
  }

  // The hash runs beside the write.
  absl::Status TryAppend(Piece piece) {
    CHECK(hashed_ == committed_) << "HashMore comes first";
    const int64_t size = piece.size();
    if (size > digest_.size_bytes - committed_) return UploadTooLongError(digest_);
    const std::vector<std::string_view> parts = piece.parts;
    const std::shared_ptr<const void> owner = piece.owner;
    hash_.Add(std::move(piece));
    ABSL_RETURN_IF_ERROR(files_.WriteAt(file_, paths_.partial, committed_, parts));
    committed_ += size;
    hashed_ = committed_;
    if (committed_ - begun_to_sync_ < kSyncPiece) return absl::OkStatus();
    DiskFiles::BeginSync(file_, begun_to_sync_, committed_ - begun_to_sync_);
    begun_to_sync_ = committed_;
    return absl::OkStatus();
  }

  absl::Status TryPrepare() {
    ABSL_RETURN_IF_ERROR(HashMore(committed_).status());
    const BlobDigest found{hash_.Finish(), committed_};
    if (found != digest_) return DigestMismatchError(digest_, found);
    return files_.Sync(file_, paths_.partial);
  }

  // The folder of uploads is not flushed: the rename is one step of the file system, in both folders or in none.
  absl::Status TryPublish() {
    ABSL_RETURN_IF_ERROR(files_.MakeFolder(paths_.folder));
    ABSL_RETURN_IF_ERROR(files_.Rename(paths_.partial, paths_.blob));
    gone_ = true;
    return files_.SyncFolder(paths_.folder);
  }

  const DiskFiles& files_;
  BlobDigest digest_;
  DiskUploadPaths paths_;
  std::function<void(int64_t)> on_close_;
  OpenFile file_;
  PieceHasher hash_;
  int64_t committed_;
  int64_t hashed_ = 0;  // or being hashed
  int64_t begun_to_sync_ = 0;
  bool gone_ = false;  // the partial file is no more
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobUpload>> OpenDiskUpload(const DiskFiles& files, const BlobDigest& digest,
                                                           DiskUploadPaths paths,
                                                           std::function<void(int64_t left)> on_close) {
  auto file = files.OpenForWriting(paths.partial);
  if (!file.ok()) {
    on_close(0);
    return file.status();
  }
  struct stat info;
  if (::fstat(file->fd(), &info) != 0) {
    on_close(0);
    return BlobUnreadableError(paths.partial, errno);
  }
  return std::unique_ptr<BlobUpload>(
      new DiskUpload(files, digest, std::move(paths), std::move(on_close), *std::move(file), info.st_size));
}

}  // namespace bitwright::server
