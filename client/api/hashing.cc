#include "client/api/hashing.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <numeric>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "client/api/client_errors.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

constexpr int kThreads = 2;

absl::StatusOr<BlobDigest> HashFile(const std::string& path, const CancelToken& cancel,
                                    const std::function<void(int64_t)>& on_bytes) {
  ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path, kFileErrors));
  Sha256 hash;
  ABSL_RETURN_IF_ERROR(file.HashTo(hash, cancel, on_bytes));
  return BlobDigest{hash.Finish(), file.size_bytes()};
}

// Largest first, so that no thread is left with a large file at the end. What cannot be asked for its size fails later.
std::vector<size_t> LargestFirst(std::span<const std::string> paths) {
  std::vector<uintmax_t> sizes;
  for (const std::string& path : paths) {
    std::error_code unknown;
    const uintmax_t size = std::filesystem::file_size(path, unknown);
    sizes.push_back(unknown ? 0 : size);
  }
  std::vector<size_t> order(paths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  return order;
}

}  // namespace

absl::StatusOr<std::vector<BlobDigest>> HashFiles(std::span<const std::string> paths, int threads,
                                                  const CancelToken& cancel,
                                                  const std::function<void(int64_t)>& on_bytes) {
  const std::vector<size_t> order = LargestFirst(paths);
  std::vector<absl::StatusOr<BlobDigest>> results(paths.size(), BlobDigest{});
  std::atomic<size_t> next{0};
  absl::Mutex mutex;  // one call of on_bytes at a time
  const auto report = [&](int64_t bytes) {
    absl::MutexLock lock(&mutex);
    if (on_bytes) on_bytes(bytes);
  };
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < order.size();) {
      results[order[i]] = HashFile(paths[order[i]], cancel, report);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < threads && static_cast<size_t>(i) < paths.size(); ++i) helpers.emplace_back(work);
    work();
  }
  std::vector<BlobDigest> digests;
  for (auto& result : results) {
    if (!result.ok()) return result.status();
    digests.push_back(*std::move(result));
  }
  return digests;
}

absl::StatusOr<std::vector<BlobDigest>> HashAll(std::span<const std::string> paths, const CancelToken& cancel,
                                                const OnTransfer& on_transfer) {
  TransferProgress progress{TransferProgress::Phase::kHash, static_cast<int>(paths.size()), 0, 0, ""};
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path, kFileErrors));
    progress.total_bytes += file.size_bytes();
  }
  if (on_transfer) on_transfer(progress);
  return HashFiles(paths, kThreads, cancel, [&](int64_t bytes) {
    progress.done_bytes += bytes;
    if (on_transfer) on_transfer(progress);
  });
}

absl::StatusOr<v1::Manifest> HashModel(const ModelDir& model, const CancelToken& cancel,
                                       const OnTransfer& on_transfer) {
  std::vector<std::string> paths;
  for (const ModelFile& file : model.files) paths.push_back(file.local_path);
  ABSL_ASSIGN_OR_RETURN(const auto digests, HashAll(paths, cancel, on_transfer));
  v1::Manifest manifest;
  for (size_t i = 0; i < paths.size(); ++i) {
    v1::FileEntry* entry = manifest.add_files();
    entry->set_path(model.files[i].path);
    *entry->mutable_digest() = ToProto(digests[i]);
  }
  return manifest;
}

}  // namespace bitwright::client
