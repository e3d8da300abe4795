#include "workers/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "proto/base/files.h"
#include "proto/base/log.h"
#include "proto/base/owned_fd.h"
#include "proto/base/status_macros.h"
#include "workers/base/base_errors.h"

namespace bitwright::worker {
namespace {

struct PlainFile {
  OwnedFd fd;
  size_t size = 0;
};

absl::StatusOr<PlainFile> OpenPlain(const std::string& path) {
  PlainFile file{OwnedFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC))};
  if (file.fd.get() < 0) return FileUnreadableError(path, errno);
  struct stat info {};
  if (::fstat(file.fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return FileUnreadableError(path, S_ISDIR(info.st_mode) ? EISDIR : (errno != 0 ? errno : EINVAL));
  }
  file.size = static_cast<size_t>(info.st_size);
  return file;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const PlainFile file, OpenPlain(path));
  void* data = nullptr;
  if (file.size > 0) data = ::mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE, file.fd.get(), 0);
  if (data == MAP_FAILED) return FileUnreadableError(path, errno);
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), file.size));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::OpenPieces(size_t size,
                                                                         std::span<const MappedPiece> pieces) {
  if (pieces.empty() || size == 0) return FileUnreadableError("", EINVAL);
  // Addresses without memory, over which the pieces are laid.
  void* data = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return FileUnreadableError(pieces[0].path, errno);
  const std::shared_ptr<MappedFile> mapped(new MappedFile(static_cast<const std::byte*>(data), size));
  mapped->held_.clear();
  for (const MappedPiece& piece : pieces) ABSL_RETURN_IF_ERROR(mapped->Lay(piece));
  return mapped;
}

absl::Status MappedFile::Lay(const MappedPiece& piece) {
  ABSL_ASSIGN_OR_RETURN(const PlainFile file, OpenPlain(piece.path));
  const size_t begin = piece.offset, end = begin + piece.size;
  const bool fits = begin < end && end <= size_ && piece.from <= file.size && piece.size <= file.size - piece.from;
  if (!fits) return FileUnreadableError(piece.path, EINVAL);
  void* at = const_cast<std::byte*>(data_) + begin;
  const off_t from = static_cast<off_t>(piece.from);
  if (::mmap(at, piece.size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file.fd.get(), from) == MAP_FAILED) {
    return FileUnreadableError(piece.path, errno);
  }
  if (!held_.empty() && begin <= held_.back().second && begin >= held_.back().first) {
    held_.back().second = std::max(held_.back().second, end);
  } else {
    held_.emplace_back(begin, end);
  }
  return absl::OkStatus();
}

bool MappedFile::Holds(std::span<const std::byte> part) const {
  if (part.empty()) return true;
  const size_t begin = static_cast<size_t>(part.data() - data_), end = begin + part.size();
  return std::any_of(held_.begin(), held_.end(),
                     [&](const auto& held) { return held.first <= begin && end <= held.second; });
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::WillNeed(std::span<const std::byte> part) const {
  const auto [begin, end] = Pages(part, /*whole=*/false);
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_WILLNEED);
}

void MappedFile::Release(std::span<const std::byte> part) const {
  const auto [begin, end] = Pages(part, /*whole=*/true);
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

std::pair<size_t, size_t> MappedFile::Pages(std::span<const std::byte> part, bool whole) const {
  if (part.empty()) return {0, 0};
  CHECK(part.data() >= data_ && part.data() + part.size() <= data_ + size_) << "not of this file";
  static const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t first = static_cast<size_t>(part.data() - data_), last = first + part.size();
  const auto down = [](size_t byte) { return byte / page * page; };
  const auto up = [](size_t byte) { return (byte + page - 1) / page * page; };
  return whole ? std::pair(up(first), down(last)) : std::pair(down(first), last);
}

absl::StatusOr<FileWriter> FileWriter::Create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return FileUnwritableError(path, errno);
  return FileWriter(fd, path);
}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

FileWriter& FileWriter::operator=(FileWriter&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

absl::Status FileWriter::Append(const void* data, size_t size) {
  if (WriteAll(fd_, {static_cast<const char*>(data), size}) != 0) return FileUnwritableError(path_, errno);
  return absl::OkStatus();
}

absl::Status FileWriter::Close() {
  if (::close(std::exchange(fd_, -1)) != 0) return FileUnwritableError(path_, errno);
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, std::string_view data) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  ABSL_RETURN_IF_ERROR(writer.Append(data));
  return writer.Close();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) { return ReadWholeFile(path, FileUnreadableError); }

}  // namespace bitwright::worker
