#pragma once

#include "server/store/store.h"

namespace bitwright::server {

class SqliteDb;

// The statements behind Snapshot and Transaction. Lives within one call of the store; rows of models and jobs stand in
// sqlite_resources.cc, the others in sqlite_tasks.cc, sqlite_blobs.cc and sqlite_tenants.cc.
class SqliteTransaction final : public Transaction {
 public:
  explicit SqliteTransaction(SqliteDb& db) : db_(db) {}

  absl::StatusOr<std::optional<ModelRow>> GetModel(std::string_view name) override;
  absl::StatusOr<bool> HasModel(std::string_view name) override;
  absl::StatusOr<std::vector<ModelRow>> ListModels(const RowQuery& query) override;
  absl::StatusOr<std::vector<ModelRow>> ModelsOfContent(std::string_view tenant, std::string_view content,
                                                        int limit) override;
  absl::StatusOr<std::vector<std::string>> UnfinishedModels(std::string_view tenant, int limit) override;
  absl::StatusOr<std::vector<std::string>> TenantsInspecting() override;
  absl::StatusOr<std::optional<JobRow>> GetJob(std::string_view name) override;
  absl::StatusOr<std::vector<JobRow>> ListJobs(const RowQuery& query) override;
  absl::StatusOr<std::vector<std::string>> UnfinishedJobs(int state, int limit) override;
  absl::StatusOr<std::vector<QueuedJob>> Queue(int state, std::string_view tenant, int limit) override;
  absl::StatusOr<std::vector<std::string>> TenantsWith(int state) override;
  absl::StatusOr<std::vector<JobRow>> JobsWithoutPriority(int limit) override;
  absl::StatusOr<std::optional<std::string>> JobUsing(std::string_view model) override;
  absl::StatusOr<std::vector<std::pair<int, int64_t>>> CountJobs() override;
  absl::StatusOr<int64_t> CountJobsOf(std::string_view tenant, int state) override;
  absl::StatusOr<std::vector<TaskRow>> TasksOf(std::string_view owner) override;
  absl::StatusOr<std::vector<TaskRow>> TasksPage(std::string_view owner, std::string_view after, int limit) override;
  absl::StatusOr<std::optional<TaskRow>> GetTask(std::string_view name) override;
  absl::StatusOr<std::optional<std::string>> GetAction(std::string_view tenant, std::string_view digest) override;
  absl::StatusOr<bool> HasBlob(const BlobDigest& digest) override;
  absl::StatusOr<bool> TenantHasBlob(std::string_view tenant, const BlobDigest& digest) override;
  absl::StatusOr<std::vector<BlobDigest>> AllBlobs() override;
  absl::StatusOr<BlobTotals> CountBlobs() override;
  absl::StatusOr<std::vector<BlobRow>> Garbage(int64_t cutoff_micros, int limit) override;
  absl::StatusOr<std::vector<BlobRow>> ColdCache(int64_t cutoff_micros, int limit) override;
  absl::StatusOr<int64_t> CacheBytes() override;
  absl::StatusOr<std::optional<RequestRow>> GetRequest(std::string_view tenant, std::string_view id) override;
  absl::StatusOr<std::optional<TenantRow>> GetTenant(std::string_view name) override;
  absl::StatusOr<std::vector<std::string>> ListTenants(std::string_view after, int limit) override;
  absl::StatusOr<int64_t> BytesOf(std::string_view tenant) override;

  absl::Status PutModel(const ModelRow& row) override;
  absl::Status DeleteModel(std::string_view name) override;
  absl::Status PutJob(const JobRow& row) override;
  absl::Status DeleteJob(std::string_view name) override;
  absl::Status PutTask(const TaskRow& row) override;
  absl::Status PutAction(std::string_view tenant, std::string_view digest, std::string_view result,
                         const std::vector<BlobDigest>& outputs) override;
  absl::Status DeleteAction(std::string_view tenant, std::string_view digest) override;
  absl::Status PutBlob(const BlobRow& row) override;
  absl::Status TouchBlobs(const std::vector<BlobDigest>& digests, int64_t now_micros) override;
  absl::StatusOr<bool> RemoveBlobIfUnused(const BlobDigest& digest, int64_t cutoff_micros) override;
  absl::Status ForgetBlob(std::string_view sha256) override;
  absl::Status PutHoldings(std::string_view tenant, const std::vector<BlobDigest>& digests,
                           int64_t now_micros) override;
  absl::StatusOr<int> DropHoldings(int64_t cutoff_micros, int limit) override;
  absl::Status AddReferences(std::string_view owner, std::string_view tenant,
                             const std::vector<BlobDigest>& digests) override;
  absl::Status ClearReferences(std::string_view owner) override;
  absl::Status PutTenant(const TenantRow& row) override;
  absl::Status PutRequest(const RequestRow& row) override;
  absl::Status DeleteRequestsBefore(int64_t create_micros) override;

 private:
  absl::Status DeleteTasksOf(std::string_view owner);
  SqliteDb& db_;
};

}  // namespace bitwright::server
