#include "server/blobs/upload_table.h"

#include "server/blobs/blob_errors.h"

namespace bitwright::server {

void UploadTable::Put(const std::string& file, Entry entry) {
  Erase(file);
  entries_[file] = entry;
  open_ += entry.open ? 1 : 0;
  bytes_ += entry.bytes;
}

void UploadTable::Erase(const std::string& file) {
  const auto at = entries_.find(file);
  if (at == entries_.end()) return;
  open_ -= at->second.open ? 1 : 0;
  bytes_ -= at->second.bytes;
  entries_.erase(at);
}

void UploadTable::Found(const std::string& file, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  Put(file, {.open = false, .bytes = bytes});
}

absl::Status UploadTable::Open(const std::string& file, const UploadName& name) {
  const int64_t declared = name.digest.size_bytes;
  if (declared > limits_.most_bytes) return BlobTooLargeError(name.digest, limits_.most_bytes);
  absl::MutexLock lock(&mutex_);
  const auto at = entries_.find(file);
  const bool known = at != entries_.end();
  if (known && at->second.open) return UploadBusyError(name);
  if (open_ >= limits_.most_open) return UploadsFullError("open uploads", limits_.most_open);
  if (!known && static_cast<int>(entries_.size()) >= limits_.most_partial) {
    return UploadsFullError("unfinished uploads", limits_.most_partial);
  }
  const int64_t others = bytes_ - (known ? at->second.bytes : 0);
  if (declared > limits_.most_bytes - others)
    return UploadsFullError("bytes of unfinished uploads", limits_.most_bytes);
  Put(file, {.open = true, .bytes = declared});
  return absl::OkStatus();
}

void UploadTable::Close(const std::string& file, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (bytes == 0) {
    Erase(file);
  } else {
    Put(file, {.open = false, .bytes = bytes});
  }
}

void UploadTable::Remove(const std::string& file, const std::function<void()>& remove) {
  absl::MutexLock lock(&mutex_);
  const auto at = entries_.find(file);
  if (at != entries_.end() && at->second.open) return;
  remove();
  Erase(file);
}

}  // namespace bitwright::server
