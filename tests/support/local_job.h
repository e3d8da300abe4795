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

// Runs whole jobs in this process, task by task in the order of their expansion: no server, no child, no network. For
// benchmarks and for tests of the numerics from end to end. Blobs and the action cache are files in `dir`.
class LocalJobs {
 public:
  LocalJobs(std::string dir, ThreadPool& pool) : dir_(std::move(dir)), pool_(pool) {}

  // A blob of a file or of bytes.
  absl::StatusOr<v1::Digest> AddFile(const std::string& path);
  absl::StatusOr<v1::Digest> AddBytes(const std::string& bytes);

  // Inspects a folder; the model is then READY.
  absl::StatusOr<v1::Model> AddModel(const std::string& model_dir);

  struct StageTime {
    int tasks = 0;
    int cached = 0;
    double seconds = 0;
    int64_t peak_bytes = 0;      // of this process while one of the tasks ran, at most
    int64_t estimate_bytes = 0;  // that a node says its task takes, at most
  };
  struct Result {
    v1::Report report;
    std::map<std::string, StageTime> stages;  // by task kind
    double seconds = 0;
  };
  // spec.model names nothing here; data blobs must have been added.
  absl::StatusOr<Result> Run(const v1::Model& model, v1::JobSpec spec, const v1::Recipe& recipe);

  std::string BlobPath(const v1::Digest& digest) const { return dir_ + "/" + digest.sha256(); }
  // Writes an artifact's files below `out`.
  absl::Status Export(const v1::Manifest& manifest, const std::string& out) const;

 private:
  absl::StatusOr<v1::TaskResult> RunOne(const v1::TaskSpec& spec, StageTime& time);
  template <typename Proto>
  absl::StatusOr<Proto> Read(const v1::TaskResult& result, const std::string& output) const;

  std::string dir_;
  ThreadPool& pool_;
  v1::Digest info_;
  std::map<std::string, v1::TaskResult> cache_;  // by task digest
};

// A shipped recipe by name.
absl::StatusOr<v1::Recipe> ShippedRecipe(const std::string& name);

}  // namespace bitwright::worker
