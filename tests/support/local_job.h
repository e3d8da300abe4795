#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "workers/base/thread_pool.h"

namespace bitwright::worker {

// Runs whole jobs in this process, task by task in the order of their expansion: no server, no network. For benchmarks
// and for tests of the numerics from end to end. Blobs and the action cache are files in `dir`.
class LocalJobs {
 public:
  // With `worker`, the path of a bitwright-worker, each task has a child of its own with as many threads as the pool:
  // its peak memory is then what a worker would report.
  LocalJobs(std::string dir, ThreadPool& pool, std::string worker = {})
      : dir_(std::move(dir)), pool_(pool), worker_(std::move(worker)) {}

  // A blob of a file or of bytes.
  absl::StatusOr<v1::Digest> AddFile(const std::string& path);
  absl::StatusOr<v1::Digest> AddBytes(const std::string& bytes);

  // Inspects a folder; the model is then READY.
  absl::StatusOr<v1::Model> AddModel(const std::string& model_dir);

  struct StageTime {
    int tasks = 0;
    int cached = 0;
    double seconds = 0;
    int64_t peak_bytes = 0;      // of the process while one of the tasks ran, at most
    int64_t estimate_bytes = 0;  // that a node says its task takes, at most
    // The task whose peak is the furthest from what its node says, among those that take at least kMemoryThatCounts.
    double worst_ratio = 1;  // estimate / peak
  };
  static constexpr int64_t kMemoryThatCounts = int64_t{256} << 20;
  struct Result {
    v1::Report report;
    v1::TokenizeSummary calibration;
    std::map<std::string, StageTime> stages;  // by task kind
    double seconds = 0;
  };
  // spec.model names nothing here; data blobs must have been added.
  absl::StatusOr<Result> Run(const v1::Model& model, v1::JobSpec spec, const v1::Recipe& recipe);

  // One task, with what its node says it takes.
  absl::StatusOr<v1::TaskResult> RunOne(const v1::TaskSpec& spec, int64_t estimate_bytes, StageTime& time);

  std::string BlobPath(const v1::Digest& digest) const { return dir_ + "/" + digest.sha256(); }
  // Writes an artifact's files below `out`.
  absl::Status Export(const v1::Manifest& manifest, const std::string& out) const;

 private:
  // The peak of memory while it ran.
  absl::StatusOr<int64_t> RunHere(const v1::TaskSpec& spec, const std::string& out, v1::ExecuteResult& result);
  absl::StatusOr<int64_t> RunInChild(const v1::TaskSpec& spec, const std::string& out, v1::ExecuteResult& result);
  template <typename Proto>
  absl::StatusOr<Proto> Read(const v1::TaskResult& result, const std::string& output) const;

  std::string dir_;
  ThreadPool& pool_;
  const std::string worker_;
  v1::Digest info_;
  std::map<std::string, v1::TaskResult> cache_;  // by task digest
};

// A shipped recipe by name.
absl::StatusOr<v1::Recipe> ShippedRecipe(const std::string& name);

}  // namespace bitwright::worker
