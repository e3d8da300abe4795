#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace bitwright::client {

// The folder OUT of a result. While it is being filled, it holds a mark, so that a broken-off download may go on there
// without --force. Errors: OUT_NOT_EMPTY, OUT_NOT_A_FOLDER, FILE_UNWRITABLE, DISK_FULL.
class OutDir {
 public:
  OutDir(std::string path, bool force) : path_(std::move(path)), force_(force) {}

  // Before anything runs: whether a result may go there, and may be written there. Changes nothing.
  absl::Status Check() const;
  // DISK_FULL: the disk has no room for so many bytes.
  absl::Status CheckRoom(int64_t bytes) const;
  // Makes the folder and its mark; with force removes an earlier result (model/, report.json, report.txt; nothing
  // else).
  absl::Status Begin() const;
  absl::Status Finish() const;  // the result is whole

  const std::string& path() const { return path_; }
  std::string model_dir() const { return path_ + "/model"; }
  std::string report_json() const { return path_ + "/report.json"; }
  std::string report_text() const { return path_ + "/report.txt"; }
  std::string report_html() const { return path_ + "/report.html"; }

 private:
  // The folder, or the nearest one above it that is there.
  std::string Nearest() const;
  std::string mark() const { return path_ + "/.bitwright-incomplete"; }
  std::string path_;
  bool force_;
};

}  // namespace bitwright::client
