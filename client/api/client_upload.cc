#include <algorithm>
#include <map>

#include "client/api/client.h"
#include "client/api/hashing.h"
#include "client/api/model_dir.h"
#include "proto/base/errors.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::client {
namespace {

using Phase = TransferProgress::Phase;

constexpr int kHashThreads = 2;
// A server may collect blobs that no model names yet; then they are uploaded once more, but not for ever.
constexpr int kRounds = 3;

void Tell(const OnTransfer& on_transfer, const TransferProgress& progress) {
  if (on_transfer) on_transfer(progress);
}

absl::StatusOr<std::vector<BlobDigest>> HashAll(const std::vector<std::string>& paths, int64_t total_bytes,
                                                const CancelToken& cancel, const OnTransfer& on_transfer) {
  TransferProgress progress{Phase::kHash, static_cast<int>(paths.size()), 0, total_bytes};
  Tell(on_transfer, progress);
  return HashFiles(paths, kHashThreads, cancel, [&](int64_t bytes) {
    progress.done_bytes += bytes;
    Tell(on_transfer, progress);
  });
}

v1::Manifest MakeManifest(const std::vector<ModelFile>& files, const std::vector<BlobDigest>& digests) {
  v1::Manifest manifest;
  for (size_t i = 0; i < files.size(); ++i) {
    v1::FileEntry* entry = manifest.add_files();
    entry->set_path(files[i].path);
    *entry->mutable_digest() = ToProto(digests[i]);
  }
  return manifest;
}

}  // namespace

absl::Status Client::UploadMissing(const std::vector<std::string>& paths, const std::vector<BlobDigest>& digests,
                                   const OnTransfer& on_transfer) {
  std::map<std::string, std::string> path_of;  // by digest; equal files travel once
  v1::FindMissingBlobsRequest request;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (path_of.emplace(digests[i].ToString(), paths[i]).second) *request.add_digests() = ToProto(digests[i]);
  }
  ABSL_ASSIGN_OR_RETURN(const auto response, connection_->FindMissingBlobs(request));

  TransferProgress progress{Phase::kUpload, response.missing_size(), 0, 0};
  for (const auto& digest : response.missing()) progress.total_bytes += digest.size_bytes();
  Tell(on_transfer, progress);
  int64_t finished_bytes = 0;
  for (const auto& missing : response.missing()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(missing));
    const auto path = path_of.find(digest.ToString());
    if (path == path_of.end()) return absl::InternalError("the server misses a blob that it was not asked about");
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path->second));
    ABSL_RETURN_IF_ERROR(connection_->Upload(file, digest, [&](int64_t committed) {
      progress.done_bytes = finished_bytes + committed;
      Tell(on_transfer, progress);
    }));
    finished_bytes += digest.size_bytes;
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
  ABSL_ASSIGN_OR_RETURN(const auto digests, HashAll(paths, total_bytes, *cancel_, on_transfer));

  v1::CreateModelRequest request;
  request.set_display_name(display_name.substr(0, limits::kMaxDisplayNameBytes));
  *request.mutable_manifest() = MakeManifest(files, digests);
  request.set_request_id(RandomId(32));
  absl::StatusOr<v1::Model> model = absl::UnknownError("");
  for (int round = 0; round < kRounds; ++round) {
    ABSL_RETURN_IF_ERROR(UploadMissing(paths, digests, on_transfer));
    model = connection_->CreateModel(request);
    if (ErrorReason(model.status()) != "BLOB_MISSING") break;
  }
  if (!model.ok()) return model.status();
  Tell(on_transfer, {Phase::kInspect, static_cast<int>(files.size()), 0, total_bytes});
  return AwaitInspection(*std::move(model));
}

absl::StatusOr<v1::Model> Client::AwaitInspection(v1::Model model) {
  constexpr std::chrono::milliseconds kFirst{20};
  constexpr std::chrono::milliseconds kLongest{1000};
  for (std::chrono::milliseconds wait = kFirst; model.state() == v1::Model::INSPECTING;
       wait = std::min(wait * 3 / 2, kLongest)) {
    ABSL_RETURN_IF_ERROR(clock_->Sleep(wait, *cancel_));
    ABSL_ASSIGN_OR_RETURN(model, GetModel(model.name()));
  }
  if (model.state() != v1::Model::REJECTED) return model;
  absl::Status error = FromProto(model.error());
  if (error.ok()) error = absl::InternalError("the server rejected the model without a reason");
  return error;
}

absl::StatusOr<BlobDigest> Client::UploadFile(const std::string& path, const OnTransfer& on_transfer) {
  int64_t size_bytes = 0;
  {
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path));
    size_bytes = file.size_bytes();
  }
  ABSL_ASSIGN_OR_RETURN(const auto digests, HashAll({path}, size_bytes, *cancel_, on_transfer));
  ABSL_RETURN_IF_ERROR(UploadMissing({path}, digests, on_transfer));
  return digests[0];
}

}  // namespace bitwright::client
