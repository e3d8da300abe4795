#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"

namespace bitwright::server {

// What all uploads together may take, so that those who never finish theirs leave room for others.
struct UploadLimits {
  int most_open = 256;
  int most_partial = 10000;               // open, or broken off with bytes
  int64_t most_bytes = int64_t{2} << 40;  // declared by those open, and left by those broken off
};

// The uploads by the name of their file: which are written, and what the others left behind. An open one counts with
// all the bytes that it declares, so that every upload that was let in can also be finished. Thread-safe.
class UploadTable {
 public:
  explicit UploadTable(UploadLimits limits) : limits_(limits) {}

  // A file that was there when the server started.
  void Found(const std::string& file, int64_t bytes);
  // Takes a file for one writer. UNAVAILABLE, reason UPLOAD_BUSY; RESOURCE_EXHAUSTED, reasons UPLOADS_FULL and
  // LIMIT_EXCEEDED.
  absl::Status Open(const std::string& file, const UploadName& name);
  // The writer is gone and has left so many bytes; 0: no file.
  void Close(const std::string& file, int64_t bytes);
  // Runs `remove`, which removes the file, unless it is being written: nobody takes it up meanwhile.
  void Remove(const std::string& file, const std::function<void()>& remove);

 private:
  struct Entry {
    bool open = false;
    int64_t bytes = 0;
  };

  void Put(const std::string& file, Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Erase(const std::string& file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const UploadLimits limits_;
  absl::Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bitwright::server
