#include "server/app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "proto/base/files.h"
#include "server/app/app_errors.h"

namespace bitwright::server {
namespace {

// What will be acknowledged lies below: a new folder is made durable with its entry in the folder above. An errno, or
// 0.
int MakeFolders(const std::string& path) {
  std::error_code error;
  std::vector<std::filesystem::path> missing;
  std::filesystem::path folder = std::filesystem::absolute(path, error);
  for (; !error && folder.has_relative_path() && !std::filesystem::exists(folder, error);
       folder = folder.parent_path()) {
    missing.push_back(folder);
  }
  if (!error) std::filesystem::create_directories(path, error);
  if (error) return error.value();
  for (const std::filesystem::path& made : missing) {
    if (const int why = SyncFolder(made.parent_path().string()); why != 0) return why;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDir>> DataDir::Open(const std::string& path) {
  std::error_code error;
  if (const int why = MakeFolders(path); why != 0) return DataDirUnusableError(path, why);
  const std::string absolute = std::filesystem::canonical(path, error).string();
  if (error) return DataDirUnusableError(path, error.value());
  const int fd = ::open((absolute + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return DataDirUnusableError(path, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    ::close(fd);
    return why == EWOULDBLOCK ? DataDirLockedError(path) : DataDirUnusableError(path, why);
  }
  return std::unique_ptr<DataDir>(new DataDir(absolute, fd));
}

DataDir::~DataDir() { ::close(lock_fd_); }

absl::StatusOr<std::string> DataDir::WorkDir(int worker) const {
  const std::string folder = path_ + "/work/" + std::to_string(worker);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return DataDirUnusableError(folder, error.value());
  return folder;
}

absl::Status WritePortFile(const std::string& path, const std::string& address) {
  const std::string temporary = path + ".tmp";
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << address << '\n';
    if (!file.flush()) return PortFileUnwritableError(path, errno);
  }
  return ::rename(temporary.c_str(), path.c_str()) == 0 ? absl::OkStatus() : PortFileUnwritableError(path, errno);
}

}  // namespace bitwright::server
