#include <algorithm>

#include "client/api/client.h"
#include "client/api/client_errors.h"
#include "client/api/hashing.h"
#include "client/api/model_dir.h"
#include "proto/base/errors.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::client {
namespace {

using Phase = TransferProgress::Phase;

constexpr int kHashThreads = 2;
// A server may collect blobs that no model names yet; then they are uploaded once more, but not endlessly.
constexpr int kRounds = 3;

void Tell(const OnTransfer& on_transfer, const TransferProgress& progress) {
  if (on_transfer) on_transfer(progress);
}

// The files with their digests, in order of `paths`.
absl::StatusOr<std::vector<FileToUpload>> HashAll(const std::vector<std::string>& paths, int64_t total_bytes,
                                                  const CancelToken& cancel, const OnTransfer& on_transfer) {
  TransferProgress progress{Phase::kHash, static_cast<int>(paths.size()), 0, total_bytes};
  Tell(on_transfer, progress);
  ABSL_ASSIGN_OR_RETURN(const auto digests, HashFiles(paths, kHashThreads, cancel, [&](int64_t bytes) {
                          progress.done_bytes += bytes;
                          Tell(on_transfer, progress);
                        }));
  std::vector<FileToUpload> files;
  for (size_t i = 0; i < paths.size(); ++i) files.push_back({digests[i], paths[i]});
  return files;
}

v1::Manifest MakeManifest(const std::vector<ModelFile>& files, const std::vector<FileToUpload>& hashed) {
  v1::Manifest manifest;
  for (size_t i = 0; i < files.size(); ++i) {
    v1::FileEntry* entry = manifest.add_files();
    entry->set_path(files[i].path);
    *entry->mutable_digest() = ToProto(hashed[i].digest);
  }
  return manifest;
}

}  // namespace

absl::Status Client::UploadMissing(std::span<const FileToUpload> files, const OnTransfer& on_transfer) {
  ABSL_ASSIGN_OR_RETURN(const auto missing, connection_->FindMissing(files));
  TransferProgress progress{Phase::kUpload, static_cast<int>(missing.size()), 0, 0};
  for (const FileToUpload& lacking : missing) progress.total_bytes += lacking.digest.size_bytes;
  Tell(on_transfer, progress);
  int64_t finished_bytes = 0;
  for (const FileToUpload& lacking : missing) {
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(lacking.path, kFileErrors));
    ABSL_RETURN_IF_ERROR(connection_->Upload(file, lacking.digest, [&](int64_t committed) {
      progress.done_bytes = finished_bytes + committed;
      Tell(on_transfer, progress);
    }));
    finished_bytes += lacking.digest.size_bytes;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Model> Client::UploadModel(const std::string& dir, const std::string& display_name,
                                              const OnTransfer& on_transfer) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<ModelFile> files, ScanModelDir(dir));
  std::vector<std::string> paths;
  int64_t total_bytes = 0;
  for (const ModelFile& file : files) {
    paths.push_back(file.local_path);
    total_bytes += file.size_bytes;
  }
  ABSL_ASSIGN_OR_RETURN(const auto hashed, HashAll(paths, total_bytes, *cancel_, on_transfer));

  v1::CreateModelRequest request;
  request.set_display_name(display_name.substr(0, limits::kMaxDisplayNameBytes));
  *request.mutable_manifest() = MakeManifest(files, hashed);
  request.set_request_id(RandomId(32));
  ABSL_RETURN_IF_ERROR(UploadMissing(hashed, on_transfer));
  absl::StatusOr<v1::Model> model = connection_->CreateModel(request);
  for (int round = 1; round < kRounds && ErrorReason(model.status()) == Reason::kBlobMissing; ++round) {
    ABSL_RETURN_IF_ERROR(UploadMissing(hashed, on_transfer));
    model = connection_->CreateModel(request);
  }
  if (!model.ok()) return model.status();
  Tell(on_transfer, {Phase::kInspect, static_cast<int>(files.size()), 0, total_bytes});
  return AwaitInspection(*std::move(model));
}

absl::StatusOr<v1::Model> Client::AwaitInspection(v1::Model model) {
  constexpr absl::Duration kFirst = absl::Milliseconds(20);
  constexpr absl::Duration kLongest = absl::Seconds(1);
  for (absl::Duration wait = kFirst; model.state() == v1::Model::INSPECTING; wait = std::min(wait * 3 / 2, kLongest)) {
    ABSL_RETURN_IF_ERROR(clock_->Sleep(wait, *cancel_));
    ABSL_ASSIGN_OR_RETURN(model, GetModel(model.name()));
  }
  if (model.state() != v1::Model::REJECTED) return model;
  const absl::Status error = FromProto(model.error());
  return error.ok() ? ModelRejectedError() : error;
}

absl::StatusOr<BlobDigest> Client::UploadFile(const std::string& path, const OnTransfer& on_transfer) {
  int64_t size_bytes = 0;
  {
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path, kFileErrors));
    size_bytes = file.size_bytes();
  }
  ABSL_ASSIGN_OR_RETURN(const auto hashed, HashAll({path}, size_bytes, *cancel_, on_transfer));
  ABSL_RETURN_IF_ERROR(UploadMissing(hashed, on_transfer));
  return hashed[0].digest;
}

}  // namespace bitwright::client
