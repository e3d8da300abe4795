#include "server/resources/models.h"

#include <algorithm>

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "server/jobs/manifest_hash.h"
#include "server/jobs/resolve.h"
#include "server/jobs/stamp.h"
#include "server/resources/filter.h"
#include "server/resources/pages.h"
#include "server/resources/requests.h"
#include "server/resources/resource_errors.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

constexpr int kContentBatch = 100;
// What was inspected before is READY within this, and is answered so.
constexpr absl::Duration kKnownWithin = absl::Seconds(2);
constexpr std::string_view kTextFields[] = {"name", "display_name", "family"};
constexpr std::string_view kStates[] = {"INSPECTING", "READY", "REJECTED"};

v1::Model Parse(const ModelRow& row) {
  v1::Model model;
  CHECK(model.ParseFromString(row.body)) << row.name;
  StampOld(model);
  return model;
}

std::string TextOf(const v1::Model& model, const std::string& field) {
  if (field == "name") return model.name();
  if (field == "display_name") return model.display_name();
  if (field == "family") return model.info().family();
  return v1::Model::State_Name(model.state());
}

// The model of the same content that is there, if any. REJECTED ones go, to be inspected again; one whose inspection is
// outdated stays for the jobs that name it, and is no longer found by its content.
absl::StatusOr<std::optional<std::string>> SameContent(Transaction& tx, const std::string& tenant,
                                                       const std::string& content) {
  while (true) {
    ABSL_ASSIGN_OR_RETURN(std::vector<ModelRow> rows, tx.ModelsOfContent(tenant, content, 1));
    if (rows.empty()) return std::nullopt;
    ModelRow& row = rows[0];
    const v1::Model model = Parse(row);
    if (model.state() == v1::Model::REJECTED) {
      ABSL_RETURN_IF_ERROR(tx.DeleteModel(row.name));
    } else if (IsOutdated(model)) {
      row.content = "outdated " + row.name;
      ABSL_RETURN_IF_ERROR(tx.PutModel(row));
    } else {
      return std::optional(row.name);
    }
  }
}

// Every blob of the manifest, each one that the tenant has. FAILED_PRECONDITION, reason BLOB_MISSING.
absl::StatusOr<std::vector<BlobDigest>> HeldFiles(Snapshot& snapshot, const std::string& tenant,
                                                  const v1::Manifest& manifest) {
  std::vector<BlobDigest> blobs;
  for (const v1::FileEntry& file : manifest.files()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(file.digest()));
    ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.TenantHasBlob(tenant, digest));
    if (!held) return BlobMissingError(digest, "file '" + file.path() + "'");
    blobs.push_back(digest);
  }
  return blobs;
}

}  // namespace

absl::StatusOr<v1::Manifest> CheckManifest(v1::Manifest manifest) {
  if (manifest.files_size() > limits::kMaxManifestFiles) return ManifestTooLongError(manifest.files_size());
  if (manifest.files_size() == 0) return ManifestEmptyError();
  for (const v1::FileEntry& file : manifest.files()) {
    ABSL_RETURN_IF_ERROR(CheckManifestPath(file.path()));
    ABSL_RETURN_IF_ERROR(FromProto(file.digest()).status());
  }
  std::sort(manifest.mutable_files()->begin(), manifest.mutable_files()->end(),
            [](const v1::FileEntry& a, const v1::FileEntry& b) { return a.path() < b.path(); });
  for (int i = 1; i < manifest.files_size(); ++i) {
    if (manifest.files(i).path() == manifest.files(i - 1).path())
      return ManifestDuplicatePathError(manifest.files(i).path());
  }
  return manifest;
}

absl::StatusOr<v1::Model> ModelResources::Create(const CallContext& call, const v1::CreateModelRequest& request) {
  if (request.display_name().size() > limits::kMaxDisplayNameBytes) {
    return ModelNameTooLongError(request.display_name().size());
  }
  ABSL_ASSIGN_OR_RETURN(const RequestKey key, RequestKey::Make(call, "CreateModel", request.request_id(), request));
  ABSL_ASSIGN_OR_RETURN(v1::Manifest manifest, CheckManifest(request.manifest()));
  v1::Model model;
  model.set_name(ResourceName(Collection::kModels, RandomId()));
  model.set_display_name(request.display_name());
  *model.mutable_manifest() = std::move(manifest);
  model.set_state(v1::Model::INSPECTING);
  const absl::Time now = clock_.Now();
  *model.mutable_create_time() = ToProto(now);
  Stamp(model, now);
  std::string name = model.name();
  ABSL_RETURN_IF_ERROR(quotas_.Counted(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> earlier, key.Earlier(tx));
    if (earlier) {
      name = *earlier;
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> blobs, HeldFiles(tx, call.tenant(), model.manifest()));
    const std::string content = ManifestHash(model.manifest());
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> same, SameContent(tx, call.tenant(), content));
    if (same) {
      name = *same;
    } else {
      ABSL_RETURN_IF_ERROR(quotas_.CheckBytes(tx, call.tenant(), 0));
      ABSL_RETURN_IF_ERROR(tx.PutModel({.name = name,
                                        .unfinished = true,
                                        .body = model.SerializeAsString(),
                                        .content = content,
                                        .tenant = call.tenant()}));
      ABSL_RETURN_IF_ERROR(tx.AddReferences(name, call.tenant(), blobs));
    }
    return key.Remember(tx, name, now);
  })));
  scheduler_.Arrived(name, call.tenant(), 0);
  scheduler_.AwaitQuiet(name, kKnownWithin);
  return Get(call, name);
}

absl::Status ModelResources::IndexContent() {
  for (bool more = true; more;) {
    ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
      ABSL_ASSIGN_OR_RETURN(std::vector<ModelRow> rows, tx.ModelsOfContent(kDefaultTenant, "", kContentBatch));
      more = static_cast<int>(rows.size()) == kContentBatch;
      for (ModelRow& row : rows) {
        row.content = ManifestHash(Parse(row).manifest());
        ABSL_RETURN_IF_ERROR(tx.PutModel(row));
      }
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Model> ModelResources::Get(const CallContext& call, const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kModels).status());
  std::optional<ModelRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetModel(name));
    return absl::OkStatus();
  }));
  if (!row || row->tenant != call.tenant()) return ModelNotFoundError(name);
  return FromRow(call, *row);
}

v1::Model ModelResources::FromRow(const CallContext& call, const ModelRow& row) {
  if (!row.unfinished) return Parse(row);
  if (std::optional<v1::Model> live = scheduler_.LiveModel(row.name, call.tenant())) return *std::move(live);
  v1::Model model = Parse(row);
  if (std::optional<v1::Notice> waiting = scheduler_.WaitingOf(row.name))
    *model.mutable_waiting() = *std::move(waiting);
  return model;
}

absl::StatusOr<v1::ListModelsResponse> ModelResources::List(const CallContext& call,
                                                            const v1::ListModelsRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const Filter filter,
                        Filter::Parse(request.filter(), {.texts = kTextFields, .states = kStates}));
  const std::string query = "ListModels|" + call.tenant() + "|" + request.filter();
  ABSL_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token(), query));
  ABSL_ASSIGN_OR_RETURN(
      const RowPage<ModelRow> found,
      ReadPage<ModelRow>(
          store_, {.tenant = call.tenant(), .beyond = page.beyond, .name_prefix = filter.NamePrefix()}, page.size,
          filter.empty(), [](Snapshot& snapshot, const RowQuery& rows) { return snapshot.ListModels(rows); },
          [&](const ModelRow& row) {
            const v1::Model model = Parse(row);
            return filter.Matches([&](const std::string& field) { return std::vector{TextOf(model, field)}; },
                                  FromProto(model.create_time()));
          }));
  v1::ListModelsResponse response;
  for (const ModelRow& row : found.rows) {
    v1::Model* model = response.add_models();
    *model = FromRow(call, row);
    if (!model->has_info()) continue;
    model->mutable_info()->clear_units();
    model->mutable_info()->clear_targets();
    model->mutable_info()->clear_pieces();
  }
  if (found.beyond) response.set_next_page_token(PageToken(*found.beyond, query));
  return response;
}

absl::Status ModelResources::Delete(const CallContext& call, const std::string& name, const std::string& etag) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kModels).status());
  return scheduler_.Remove(name, [&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> row, tx.GetModel(name));
    if (!row || row->tenant != call.tenant()) return ModelNotFoundError(name);
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> job, tx.JobUsing(name));
    if (job) return ModelInUseError(name, *job);
    ABSL_RETURN_IF_ERROR(CheckEtag(name, etag, Parse(*row).etag()));
    return tx.DeleteModel(name);
  });
}

}  // namespace bitwright::server
