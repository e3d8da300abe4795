#include "client/api/client.h"
#include "client/api/client_errors.h"
#include "client/api/display_name.h"
#include "client/api/foreign_status.h"
#include "client/api/hashing.h"
#include "client/api/model_dir.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"

namespace bitwright::client {
namespace {

using Phase = TransferProgress::Phase;

// A server may collect blobs that no model names yet; then they are uploaded once more, but not endlessly.
constexpr int kRounds = 3;

void Tell(const OnTransfer& on_transfer, const TransferProgress& progress) {
  if (on_transfer) on_transfer(progress);
}

}  // namespace

absl::Status Client::UploadMissing(std::span<const FileToUpload> files, const OnTransfer& on_transfer) {
  ABSL_ASSIGN_OR_RETURN(const auto missing, connection_->FindMissing(files));
  TransferProgress progress{Phase::kUpload, static_cast<int>(missing.size()), 0, 0, ""};
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
  ABSL_ASSIGN_OR_RETURN(const ModelDir model, ScanModelDir(dir));
  ABSL_ASSIGN_OR_RETURN(const v1::Manifest manifest, HashModel(model, *cancel_, on_transfer));
  return UploadModel(model, manifest, display_name, on_transfer);
}

absl::StatusOr<v1::Model> Client::UploadModel(const ModelDir& files, const v1::Manifest& manifest,
                                              const std::string& display_name, const OnTransfer& on_transfer) {
  ABSL_RETURN_IF_ERROR(CheckDisplayName("the model's name", display_name));
  std::vector<FileToUpload> hashed;
  for (int i = 0; i < manifest.files_size(); ++i) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(manifest.files(i).digest()));
    hashed.push_back({std::move(digest), files.files[static_cast<size_t>(i)].local_path});
  }
  v1::CreateModelRequest request;
  request.set_display_name(display_name);
  *request.mutable_manifest() = manifest;
  request.set_request_id(RandomId(32));
  ABSL_RETURN_IF_ERROR(UploadMissing(hashed, on_transfer));
  absl::StatusOr<v1::Model> model = connection_->CreateModel(request);
  for (int round = 1; round < kRounds && ErrorReason(model.status()) == Reason::kBlobMissing; ++round) {
    ABSL_RETURN_IF_ERROR(UploadMissing(hashed, on_transfer));
    model = connection_->CreateModel(request);
  }
  if (!model.ok()) return model.status();
  return AwaitInspection(*std::move(model), on_transfer);
}

absl::StatusOr<v1::Model> Client::AwaitInspection(v1::Model model, const OnTransfer& on_transfer) {
  TransferProgress progress{Phase::kInspect, model.manifest().files_size(), 0, 0, model.waiting().message()};
  Tell(on_transfer, progress);
  if (model.state() == v1::Model::INSPECTING) {
    ABSL_ASSIGN_OR_RETURN(model, connection_->WatchModel(model.name(), [&](const v1::Model& now) {
      progress.waiting = now.waiting().message();
      Tell(on_transfer, progress);
    }));
  }
  if (model.state() != v1::Model::REJECTED) return model;
  return model.has_error() && model.error().code() != 0 ? WithReason(model.error()) : ModelRejectedError();
}

absl::StatusOr<BlobDigest> Client::UploadFile(const std::string& path, const OnTransfer& on_transfer) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> digests, HashAll({&path, 1}, *cancel_, on_transfer));
  const FileToUpload file{digests[0], path};
  ABSL_RETURN_IF_ERROR(UploadMissing({&file, 1}, on_transfer));
  return file.digest;
}

}  // namespace bitwright::client
