#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bitwright/v1/capabilities.pb.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/operator.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"
#include "proto/contract/digest.h"
#include "proto/transfer/access.h"
#include "proto/transfer/local_file.h"
#include "proto/transfer/missing_blobs.h"
#include "proto/transfer/retry_policy.h"

namespace bitwright::client {

// The service as a client sees it: each call retries what is worth it and resumes what was broken off; what comes back
// as an error is final. Thread-safe.
// Errors: those of the service as the protos state them, with their ErrorInfo; UNAVAILABLE, reason SERVER_UNREACHABLE,
// when nobody answered until the retry policy gave up; CANCELLED, reason INTERRUPTED, by the token; INVALID_ARGUMENT,
// reason TEXT_INVALID, before anything is sent, when a request holds text that is not UTF-8; UNAUTHENTICATED and
// PERMISSION_DENIED are final, but a token that was replaced in its file is tried once. Whatever other layers say
// is given a reason and a sentence (foreign_status.h).
class Connection {
 public:
  virtual ~Connection() = default;

  virtual absl::StatusOr<v1::Model> CreateModel(const v1::CreateModelRequest&) = 0;
  virtual absl::StatusOr<v1::Model> GetModel(const v1::GetModelRequest&) = 0;
  virtual absl::StatusOr<v1::ListModelsResponse> ListModels(const v1::ListModelsRequest&) = 0;
  virtual absl::StatusOr<v1::DeleteModelResponse> DeleteModel(const v1::DeleteModelRequest&) = 0;
  virtual absl::StatusOr<v1::Job> CreateJob(const v1::CreateJobRequest&) = 0;
  virtual absl::StatusOr<v1::Job> GetJob(const v1::GetJobRequest&) = 0;
  virtual absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest&) = 0;
  virtual absl::StatusOr<v1::Job> RetryJob(const v1::RetryJobRequest&) = 0;
  virtual absl::StatusOr<v1::Job> CancelJob(const v1::CancelJobRequest&) = 0;
  virtual absl::StatusOr<v1::DeleteJobResponse> DeleteJob(const v1::DeleteJobRequest&) = 0;
  virtual absl::StatusOr<v1::Report> GetReport(const v1::GetReportRequest&) = 0;
  virtual absl::StatusOr<v1::ListRecipesResponse> ListRecipes(const v1::ListRecipesRequest&) = 0;
  virtual absl::StatusOr<v1::Recipe> GetRecipe(const v1::GetRecipeRequest&) = 0;
  virtual absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest&) = 0;
  virtual absl::StatusOr<v1::ListWorkersResponse> ListWorkers(const v1::ListWorkersRequest&) = 0;
  // For operators. RequeueTask is made once: a second call could meet another worker's lease.
  virtual absl::StatusOr<v1::Worker> CordonWorker(const v1::CordonWorkerRequest&) = 0;
  virtual absl::StatusOr<v1::Worker> UncordonWorker(const v1::UncordonWorkerRequest&) = 0;
  virtual absl::StatusOr<v1::Worker> DrainWorker(const v1::DrainWorkerRequest&) = 0;
  virtual absl::StatusOr<v1::Task> RequeueTask(const v1::RequeueTaskRequest&) = 0;
  virtual absl::StatusOr<v1::CacheEntry> GetCacheEntry(const v1::GetCacheEntryRequest&) = 0;
  virtual absl::StatusOr<v1::DeleteCacheEntryResponse> DeleteCacheEntry(const v1::DeleteCacheEntryRequest&) = 0;
  virtual absl::StatusOr<v1::Tenant> GetTenant(const v1::GetTenantRequest&) = 0;
  virtual absl::StatusOr<v1::ListTenantsResponse> ListTenants(const v1::ListTenantsRequest&) = 0;
  virtual absl::StatusOr<v1::Tenant> UpdateTenantLimits(const v1::UpdateTenantLimitsRequest&) = 0;
  virtual absl::StatusOr<v1::Capabilities> GetCapabilities(const v1::GetCapabilitiesRequest&) = 0;

  // grpc.health.v1 Check of the whole server, until it says SERVING or `patience` is over (UNAVAILABLE).
  virtual absl::Status WaitUntilServing(absl::Duration patience) = 0;

  // Those of the files that the server lacks; of equal files the first.
  virtual absl::StatusOr<std::vector<FileToUpload>> FindMissing(std::span<const FileToUpload> files) = 0;

  // Uploads a file as the blob `digest`. The upload's name follows from the file, so that a later call, even of another
  // process, continues one that was broken off. `on_committed` is told how many bytes of the blob the server holds or
  // was sent. BLOB_DIGEST_MISMATCH: the file changed since it was hashed.
  virtual absl::Status Upload(const LocalFile& file, const BlobDigest& digest,
                              const std::function<void(int64_t bytes)>& on_committed) = 0;

  // Writes a blob to `path`, which appears whole or not at all; "{path}.part" of an earlier call is continued.
  // `on_bytes` is told of bytes that are there now, negative of those that were dropped. BLOB_DIGEST_MISMATCH: other
  // bytes arrived twice; FILE_UNWRITABLE, DISK_FULL.
  virtual absl::Status Download(const BlobDigest& digest, const std::string& path,
                                const std::function<void(int64_t bytes)>& on_bytes) = 0;

  // Calls `on_job` with the job's state now and after each change (never with an older one than before) until it is
  // terminal. Returns the terminal state.
  virtual absl::StatusOr<v1::Job> WatchJob(const std::string& name,
                                           const std::function<void(const v1::Job&)>& on_job) = 0;
  // The same for a model, until it is READY or REJECTED.
  virtual absl::StatusOr<v1::Model> WatchModel(const std::string& name,
                                               const std::function<void(const v1::Model&)>& on_model) = 0;
};

inline const SystemClock kSystemClock;

struct ConnectionOptions {
  std::string address;                          // "HOST:PORT" or "unix:PATH"
  Access access;                                // who is calling, and by what the server is known
  std::map<std::string, std::string> metadata;  // that goes with every call, such as traceparent
  RetryPolicy retry = kClientRetries;
  absl::Duration connect_patience = absl::Seconds(5);  // for the very first answer; later ones follow `retry`
  absl::Duration watch_limit = absl::Minutes(10);      // of one stream of states; it is begun again then
  const Clock* clock = &kSystemClock;                  // outlives the connection
  std::shared_ptr<CancelToken> cancel;                 // none: never cancelled
};

// Connects on first use. Errors of OpenChannel (proto/transfer/channel.h), before anything is sent.
absl::StatusOr<std::unique_ptr<Connection>> Connect(ConnectionOptions options);

}  // namespace bitwright::client
