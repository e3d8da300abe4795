#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/api/connection.h"
#include "client/api/model_dir.h"
#include "client/api/transfer_progress.h"

namespace bitwright::client {

// Bitwright for a program: whole steps, each one call. Thread-safe. Errors as in Connection, and those named below.
// Its uploads are in client_upload.cc, its downloads in client_download.cc.
class Client {
 public:
  // The token is that of the connection.
  explicit Client(std::shared_ptr<Connection> connection, std::shared_ptr<CancelToken> cancel = nullptr);
  static absl::StatusOr<Client> ConnectTo(ConnectionOptions options);

  // Uploads what the server lacks of a model folder (see ScanModelDir for which files), registers it and waits until it
  // is READY. REJECTED: the server's error about the model. BLOB_DIGEST_MISMATCH: a file changed meanwhile.
  // DISPLAY_NAME_INVALID. The same files are one model: one that is there keeps the name that it has.
  absl::StatusOr<v1::Model> UploadModel(const std::string& dir, const std::string& display_name,
                                        const OnTransfer& on_transfer = nullptr);
  // The same where the digests are known: `manifest` is that of HashModel(files).
  absl::StatusOr<v1::Model> UploadModel(const ModelDir& files, const v1::Manifest& manifest,
                                        const std::string& display_name, const OnTransfer& on_transfer = nullptr);
  // Uploads one file unless the server has it.
  absl::StatusOr<BlobDigest> UploadFile(const std::string& path, const OnTransfer& on_transfer = nullptr);
  absl::StatusOr<v1::Model> GetModel(const std::string& name);
  // Newest first. `filter` as ListModelsRequest states it; empty: all.
  absl::StatusOr<std::vector<v1::Model>> ListModels(int most, const std::string& filter = {});
  // `etag`, here and below: only if it still has that; empty: in any case. ABORTED, reason ETAG_MISMATCH.
  absl::Status DeleteModel(const std::string& name, const std::string& etag = {});

  // The request id makes a repeated call return the first one's job; empty: a new one each call.
  absl::StatusOr<v1::Job> CreateJob(const v1::JobSpec& spec, const std::string& request_id = {});
  absl::StatusOr<v1::Job> ValidateJob(const v1::JobSpec& spec);  // with its estimate; queues nothing
  absl::StatusOr<v1::Job> GetJob(const std::string& name);
  // Those that the request's state and filter choose, in its order; its page fields are set here.
  absl::StatusOr<std::vector<v1::Job>> ListJobs(const v1::ListJobsRequest& which, int most);
  absl::StatusOr<v1::Job> RetryJob(const std::string& name, const std::string& etag = {});
  absl::StatusOr<v1::Job> CancelJob(const std::string& name, const std::string& etag = {});
  absl::Status DeleteJob(const std::string& name, const std::string& etag = {});
  absl::StatusOr<v1::Job> WatchJob(const std::string& name, const std::function<void(const v1::Job&)>& on_job);
  absl::StatusOr<v1::Report> GetReport(const std::string& job, int goal = 0);  // index of one of the job's goals
  // All tasks of a job or model, by key.
  absl::StatusOr<std::vector<v1::Task>> ListTasks(const std::string& parent);

  // Writes every file of the manifest under `dir`. A file that is there with its digest is kept, and one that was
  // broken off ("{path}.part") continues; each appears whole or not at all. MANIFEST_PATH_INVALID: a path would leave
  // `dir`; BLOB_DIGEST_MISMATCH: other bytes arrived twice; FILE_UNWRITABLE, DISK_FULL.
  absl::Status DownloadArtifact(const v1::Manifest& manifest, const std::string& dir,
                                const OnTransfer& on_transfer = nullptr);

  absl::StatusOr<std::vector<v1::Recipe>> ListRecipes();
  absl::StatusOr<v1::Recipe> GetRecipe(const std::string& name);
  absl::StatusOr<std::vector<v1::Worker>> ListWorkers();  // all, by name

  // For operators, see operator.proto. An empty tenant is the default one.
  absl::StatusOr<v1::Worker> CordonWorker(const std::string& name);
  absl::StatusOr<v1::Worker> UncordonWorker(const std::string& name);
  absl::StatusOr<v1::Worker> DrainWorker(const std::string& name);
  absl::StatusOr<v1::Task> RequeueTask(const std::string& name);
  absl::StatusOr<v1::CacheEntry> GetCacheEntry(const std::string& digest, const std::string& tenant = {});
  absl::Status DeleteCacheEntry(const std::string& digest, const std::string& tenant = {});
  absl::StatusOr<v1::Tenant> GetTenant(const std::string& name);
  absl::StatusOr<std::vector<v1::Tenant>> ListTenants(int most);  // by name
  absl::StatusOr<v1::Tenant> UpdateTenantLimits(const std::string& name, const v1::TenantLimits& limits);

  absl::StatusOr<v1::Capabilities> GetCapabilities();
  absl::Status WaitUntilServing(absl::Duration patience);

 private:
  absl::Status UploadMissing(std::span<const FileToUpload> files, const OnTransfer& on_transfer);
  absl::StatusOr<v1::Model> AwaitInspection(v1::Model model, const OnTransfer& on_transfer);
  absl::Status DownloadFile(const v1::FileEntry& entry, const std::string& dir,
                            const std::function<void(int64_t)>& on_bytes);

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<CancelToken> cancel_;
};

}  // namespace bitwright::client
