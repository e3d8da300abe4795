#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace bitwright {

// What tells a file from what stood under its name before: another file, or other bytes. Two changes within a tick of
// the file system's clock that keep the size look the same.
struct FileStamp {
  ino_t inode = 0;
  int64_t size_bytes = 0;
  int64_t changed_nanos = 0;  // of the bytes
  mode_t mode = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// All zero: there is no such file, or it cannot be looked at.
FileStamp StampOf(const std::string& path);

}  // namespace bitwright
