#include "proto/transfer/part_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"

namespace bitwright {
namespace {

constexpr size_t kBlock = 1 << 20;

}  // namespace

absl::StatusOr<PartFile> PartFile::Open(const std::string& path, const BlobDigest& digest,
                                        FileErrorFunction* unwritable, const CancelToken& cancel) {
  const std::string part_path = path + ".part";
  OwnedFd fd(::open(part_path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (fd.get() < 0) return unwritable(part_path, errno);
  PartFile part(std::move(fd), path, digest, unwritable);
  ABSL_RETURN_IF_ERROR(part.TakeUp(cancel));
  return part;
}

absl::Status PartFile::TakeUp(const CancelToken& cancel) {
  const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
  if (end < 0) return unwritable_(part_path_, errno);
  if (end > digest_.size_bytes) return StartOver();
  std::string block(std::min(kBlock, static_cast<size_t>(end)), '\0');
  while (size_bytes_ < end) {
    ABSL_RETURN_IF_ERROR(cancel.Check());
    const size_t size = std::min(block.size(), static_cast<size_t>(end - size_bytes_));
    const ssize_t got = ReadAt(fd_.get(), size_bytes_, block.data(), size);
    if (got <= 0) return unwritable_(part_path_, got < 0 ? errno : EIO);
    hash_.Update(block.data(), static_cast<size_t>(got));
    size_bytes_ += got;
  }
  return absl::OkStatus();
}

absl::Status PartFile::Append(std::string_view data) {
  if (const int error = Failpoint("transfer.write"); error != 0) return unwritable_(part_path_, error);
  data = data.substr(0, static_cast<size_t>(digest_.size_bytes - size_bytes_));
  if (WriteAll(fd_.get(), data) != 0) return unwritable_(part_path_, errno);
  hash_.Update(data);
  size_bytes_ += static_cast<int64_t>(data.size());
  return absl::OkStatus();
}

bool PartFile::HasDigest() { return size_bytes_ == digest_.size_bytes && hash_.Finish() == digest_.sha256; }

absl::Status PartFile::StartOver() {
  if (::ftruncate(fd_.get(), 0) != 0) return unwritable_(part_path_, errno);
  hash_ = Sha256();
  size_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status PartFile::Publish(bool durable) {
  if (durable && ::fsync(fd_.get()) != 0 && errno != EINVAL) return unwritable_(part_path_, errno);
  if (fd_.Close() != 0) return unwritable_(part_path_, errno);
  Failpoint("transfer.before_move");
  if (std::rename(part_path_.c_str(), path_.c_str()) != 0) return unwritable_(path_, errno);
  return absl::OkStatus();
}

void PartFile::Remove() {
  fd_.Close();
  ::unlink(part_path_.c_str());
}

}  // namespace bitwright
