#include "client/api/hashing.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>

#include "client/api/local_file.h"
#include "proto/contract/status_macros.h"

namespace bitwright {
namespace {

constexpr int64_t kBlock = 1 << 20;

absl::Status Feed(const LocalFile& file, int64_t size_bytes, const CancelToken& cancel, Sha256& hash,
                  const std::function<void(int64_t)>& on_bytes) {
  std::string block(static_cast<size_t>(std::min(kBlock, size_bytes)), '\0');
  for (int64_t offset = 0; offset < size_bytes; offset += kBlock) {
    ABSL_RETURN_IF_ERROR(cancel.Check());
    const size_t size = static_cast<size_t>(std::min(kBlock, size_bytes - offset));
    ABSL_RETURN_IF_ERROR(file.ReadAt(offset, block.data(), size));
    hash.Update(block.data(), size);
    on_bytes(static_cast<int64_t>(size));
  }
  return absl::OkStatus();
}

absl::StatusOr<BlobDigest> HashFile(const LocalFile& file, const CancelToken& cancel,
                                    const std::function<void(int64_t)>& on_bytes) {
  Sha256 hash;
  ABSL_RETURN_IF_ERROR(Feed(file, file.size_bytes(), cancel, hash, on_bytes));
  return BlobDigest{hash.Finish(), file.size_bytes()};
}

}  // namespace

absl::StatusOr<std::vector<BlobDigest>> HashFiles(std::span<const std::string> paths, int threads,
                                                  const CancelToken& cancel,
                                                  const std::function<void(int64_t)>& on_bytes) {
  std::vector<LocalFile> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(LocalFile file, LocalFile::Open(path));
    files.push_back(std::move(file));
  }
  std::vector<size_t> order(files.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return files[a].size_bytes() > files[b].size_bytes(); });

  std::vector<absl::StatusOr<BlobDigest>> results(files.size(), BlobDigest{});
  std::atomic<size_t> next{0};
  std::mutex mutex;
  const auto report = [&](int64_t bytes) {
    std::lock_guard lock(mutex);
    if (on_bytes) on_bytes(bytes);
  };
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < order.size();)
      results[order[i]] = HashFile(files[order[i]], cancel, report);
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < threads && static_cast<size_t>(i) < files.size(); ++i) helpers.emplace_back(work);
    work();
  }
  std::vector<BlobDigest> digests;
  for (auto& result : results) {
    if (!result.ok()) return result.status();
    digests.push_back(*std::move(result));
  }
  return digests;
}

absl::Status HashPrefix(const std::string& path, int64_t size_bytes, const CancelToken& cancel, Sha256& hash) {
  ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path));
  return Feed(file, size_bytes, cancel, hash, [](int64_t) {});
}

}  // namespace bitwright
