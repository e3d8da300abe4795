#include "server/resources/models.h"

#include <algorithm>

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "server/blobs/blob_errors.h"
#include "server/resources/pages.h"
#include "server/resources/requests.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

constexpr char kListQuery[] = "ListModels";

v1::Model Parse(const ModelRow& row) {
  v1::Model model;
  CHECK(model.ParseFromString(row.body)) << row.name;
  return model;
}

// Every blob of the manifest, each held. FAILED_PRECONDITION, reason BLOB_MISSING.
absl::StatusOr<std::vector<BlobDigest>> HeldFiles(Snapshot& snapshot, const v1::Manifest& manifest) {
  std::vector<BlobDigest> blobs;
  for (const v1::FileEntry& file : manifest.files()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(file.digest()));
    ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.HasBlob(digest));
    if (!held) return BlobMissingError(digest, "file '" + file.path() + "'");
    blobs.push_back(digest);
  }
  return blobs;
}

}  // namespace

absl::StatusOr<v1::Manifest> CheckManifest(v1::Manifest manifest) {
  if (manifest.files_size() > limits::kMaxManifestFiles) return ManifestTooLongError(manifest.files_size());
  bool config = false;
  bool weights = false;
  for (const v1::FileEntry& file : manifest.files()) {
    ABSL_RETURN_IF_ERROR(CheckManifestPath(file.path()));
    ABSL_RETURN_IF_ERROR(FromProto(file.digest()).status());
    config |= file.path() == "config.json";
    weights |= file.path().ends_with(".safetensors");
  }
  std::sort(manifest.mutable_files()->begin(), manifest.mutable_files()->end(),
            [](const v1::FileEntry& a, const v1::FileEntry& b) { return a.path() < b.path(); });
  for (int i = 1; i < manifest.files_size(); ++i) {
    if (manifest.files(i).path() == manifest.files(i - 1).path())
      return ManifestDuplicatePathError(manifest.files(i).path());
  }
  if (!config) return ManifestIncompleteError("config.json");
  if (!weights) return ManifestIncompleteError(".safetensors file");
  return manifest;
}

absl::StatusOr<v1::Model> ModelResources::Create(const v1::CreateModelRequest& request) {
  if (request.display_name().size() > limits::kMaxDisplayNameBytes) {
    return ModelNameTooLongError(request.display_name().size());
  }
  ABSL_ASSIGN_OR_RETURN(const RequestKey key, RequestKey::Make("CreateModel", request.request_id(), request));
  ABSL_ASSIGN_OR_RETURN(v1::Manifest manifest, CheckManifest(request.manifest()));
  v1::Model model;
  model.set_name(ResourceName(Collection::kModels, RandomId()));
  model.set_display_name(request.display_name());
  *model.mutable_manifest() = std::move(manifest);
  model.set_state(v1::Model::INSPECTING);
  *model.mutable_create_time() = ToProto(clock_.Now());
  std::string name = model.name();
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> earlier, key.Earlier(tx));
    if (earlier) {
      name = *earlier;
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> blobs, HeldFiles(tx, model.manifest()));
    ABSL_RETURN_IF_ERROR(tx.PutModel({.name = name, .unfinished = true, .body = model.SerializeAsString()}));
    ABSL_RETURN_IF_ERROR(tx.AddReferences(name, blobs));
    return key.Remember(tx, name, clock_.Now());
  }));
  ABSL_RETURN_IF_ERROR(scheduler_.Adopt(name));
  return Get(name);
}

absl::StatusOr<v1::Model> ModelResources::Get(const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kModels).status());
  std::optional<ModelRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetModel(name));
    return absl::OkStatus();
  }));
  if (!row) return ModelNotFoundError(name);
  return Parse(*row);
}

absl::StatusOr<v1::ListModelsResponse> ModelResources::List(const v1::ListModelsRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token(), kListQuery));
  std::vector<ModelRow> rows;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(rows, snapshot.ListModels(page.before, page.size + 1));
    return absl::OkStatus();
  }));
  v1::ListModelsResponse response;
  const bool more = static_cast<int>(rows.size()) > page.size;
  if (more) rows.pop_back();
  for (const ModelRow& row : rows) {
    v1::Model* model = response.add_models();
    *model = Parse(row);
    if (model->has_info()) model->mutable_info()->clear_units();
  }
  if (more) response.set_next_page_token(PageToken(rows.back().order, kListQuery));
  return response;
}

absl::Status ModelResources::Delete(const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kModels).status());
  return scheduler_.Remove(name, [&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> row, tx.GetModel(name));
    if (!row) return ModelNotFoundError(name);
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> job, tx.JobUsing(name));
    if (job) return ModelInUseError(name, *job);
    return tx.DeleteModel(name);
  });
}

}  // namespace bitwright::server
