#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"
#include "workers/tasks/task_io.h"

namespace bitwright::worker {

// Adds files to what a task makes, outputs "file/{path}", and keeps their digests for its manifest.
class ManifestWriter {
 public:
  explicit ManifestWriter(TaskIo& io) : io_(io) {}

  // Where to write the file `path`; Note it when it is whole.
  std::string NewFile(const std::string& path);
  absl::Status Note(const std::string& path);
  absl::Status Add(const std::string& path, std::string_view text);
  // A copy of a file, however large.
  absl::Status Copy(const std::string& path, const MappedFile& file);
  // SHA-256 in hexadecimal by path, of all so far.
  std::map<std::string, std::string> Sums() const;
  // Output "manifest".
  absl::Status Finish();

 private:
  TaskIo& io_;
  std::map<std::string, std::string> places_;
  std::map<std::string, BlobDigest> digests_;
};

}  // namespace bitwright::worker
