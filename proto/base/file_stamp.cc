#include "proto/base/file_stamp.h"

#include <sys/stat.h>

namespace bitwright {

FileStamp StampOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  constexpr int64_t kSecond = 1'000'000'000;
  return {.inode = info.st_ino,
          .size_bytes = info.st_size,
          .changed_nanos = info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec,
          .mode = info.st_mode};
}

}  // namespace bitwright
