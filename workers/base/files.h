#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/contract/memory_cuts.h"

namespace bitwright::worker {

// Bytes [offset, offset + size) of a file, which lie in another one from byte `from` on. All are multiples of the page
// size, but for the end of the file.
struct MappedPiece {
  std::string path;
  size_t from = 0;
  size_t offset = 0;
  size_t size = 0;
};

// A file mapped read-only; unmapped when the last owner goes. Bytes of a file that shrinks meanwhile must not be read
// (blobs never change). Thread-safe.
class MappedFile {
 public:
  // NOT_FOUND or UNAVAILABLE (reason FILE_UNREADABLE), naming the path.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  // A file of `size` bytes of which only these pieces are here, by rising offset. Other bytes must not be read: Holds
  // tells.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> OpenPieces(size_t size, std::span<const MappedPiece> pieces);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // Whether all of a part of bytes() may be read.
  bool Holds(std::span<const std::byte> part) const;

  // Advice for a part of bytes(): that it will be read soon, so that the disk is asked now; and that it has been read,
  // so that its whole pages count no more as memory of this process. It may be read all the same, or again.
  void WillNeed(std::span<const std::byte> part) const;
  void Release(std::span<const std::byte> part) const;

 private:
  // Takes the mapping over.
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size), held_{{0, size}} {}
  absl::Status Lay(const MappedPiece& piece);
  // Offsets of the pages that a part touches or, where `whole`, of those that lie within it.
  std::pair<size_t, size_t> Pages(std::span<const std::byte> part, bool whole) const;
  const std::byte* data_;
  size_t size_;
  std::vector<std::pair<size_t, size_t>> held_;  // [begin, end), rising and apart
};

// Calls each(part) for parts of mapped bytes, in order, of which one at a time need be in memory.
template <typename F>
void ForMappedParts(std::span<const std::byte> bytes, const F& each) {
  constexpr size_t kMost = static_cast<size_t>(kMappedPieceBytes);
  for (size_t first = 0; first < bytes.size(); first += kMost) {
    each(bytes.subspan(first, std::min(kMost, bytes.size() - first)));
  }
}

// Writes a whole file. UNAVAILABLE, reason FILE_UNWRITABLE, or RESOURCE_EXHAUSTED, reason DISK_FULL.
absl::Status WriteFile(const std::string& path, std::string_view data);
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Appends to a new file piece by piece. Not thread-safe.
class FileWriter {
 public:
  static absl::StatusOr<FileWriter> Create(const std::string& path);
  ~FileWriter();
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) noexcept;

  absl::Status Append(const void* data, size_t size);
  absl::Status Append(std::string_view data) { return Append(data.data(), data.size()); }
  absl::Status Close();  // reports errors that writing deferred

 private:
  FileWriter(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

}  // namespace bitwright::worker
