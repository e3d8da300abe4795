#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/api/connection.h"

namespace bitwright::client {

// How far an upload or a download is.
struct TransferProgress {
  enum class Phase { kHash, kUpload, kInspect, kDownload };
  Phase phase = Phase::kHash;
  int files = 0;
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;  // of this phase: kUpload counts only what the server lacked
};
using OnTransfer = std::function<void(const TransferProgress&)>;

// Bitwright for a program: whole steps, each one call. Thread-safe. Errors as in Connection, and those named below.
// Its uploads are in client_upload.cc, its downloads in client_download.cc.
class Client {
 public:
  // The token and the clock are those of the connection.
  explicit Client(std::shared_ptr<Connection> connection, std::shared_ptr<CancelToken> cancel = nullptr,
                  const Clock& clock = kSystemClock);
  static Client ConnectTo(ConnectionOptions options);

  // Uploads what the server lacks of a model folder (see ScanModelDir for which files), registers it and waits until it
  // is READY. REJECTED: the server's error about the model. BLOB_DIGEST_MISMATCH: a file changed meanwhile.
  absl::StatusOr<v1::Model> UploadModel(const std::string& dir, const std::string& display_name,
                                        const OnTransfer& on_transfer = nullptr);
  // Uploads one file unless the server has it.
  absl::StatusOr<BlobDigest> UploadFile(const std::string& path, const OnTransfer& on_transfer = nullptr);
  absl::StatusOr<v1::Model> GetModel(const std::string& name);
  absl::StatusOr<std::vector<v1::Model>> ListModels(int most);  // newest first
  absl::Status DeleteModel(const std::string& name);

  // The request id makes a repeated call return the first one's job; empty: a new one each call.
  absl::StatusOr<v1::Job> CreateJob(const v1::JobSpec& spec, const std::string& request_id = {});
  absl::StatusOr<v1::Job> ValidateJob(const v1::JobSpec& spec);  // with its estimate; queues nothing
  absl::StatusOr<v1::Job> GetJob(const std::string& name);
  absl::StatusOr<std::vector<v1::Job>> ListJobs(v1::Job::State state, int most);  // newest first
  absl::StatusOr<v1::Job> CancelJob(const std::string& name);
  absl::Status DeleteJob(const std::string& name);
  absl::StatusOr<v1::Job> WatchJob(const std::string& name, const std::function<void(const v1::Job&)>& on_job);
  absl::StatusOr<v1::Report> GetReport(const std::string& job);

  // Writes every file of the manifest under `dir`. A file that is there with its digest is kept, and one that was
  // broken off ("{path}.part") continues; each appears whole or not at all. MANIFEST_PATH_INVALID: a path would leave
  // `dir`; BLOB_DIGEST_MISMATCH: other bytes arrived twice; FILE_UNWRITABLE, DISK_FULL.
  absl::Status DownloadArtifact(const v1::Manifest& manifest, const std::string& dir,
                                const OnTransfer& on_transfer = nullptr);

  absl::StatusOr<std::vector<v1::Recipe>> ListRecipes();
  absl::StatusOr<v1::Recipe> GetRecipe(const std::string& name);
  absl::StatusOr<std::vector<v1::Worker>> ListWorkers();
  absl::Status WaitUntilServing(absl::Duration patience);

 private:
  absl::Status UploadMissing(std::span<const FileToUpload> files, const OnTransfer& on_transfer);
  absl::StatusOr<v1::Model> AwaitInspection(v1::Model model);
  absl::Status DownloadFile(const v1::FileEntry& entry, const std::string& dir,
                            const std::function<void(int64_t)>& on_bytes);

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<CancelToken> cancel_;
  const Clock* clock_;
};

}  // namespace bitwright::client
