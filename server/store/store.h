#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "server/store/tenant_limits.h"

namespace bitwright::server {

// Bodies are serialized messages that the store never looks into; what it must find or order by is kept beside them.
// Models, jobs, requests and kept results belong to a tenant each, and are found for that one alone where a call takes
// a tenant.

struct ModelRow {
  std::string name;        // "models/{id}"
  int64_t order = 0;       // given by the store when the row is new; grows
  bool unfinished = true;  // still being inspected
  std::string body;        // v1::Model
  std::string info;        // digest text of the blob that holds the ModelInfo; empty until READY
  std::string content;     // SHA-256 over the sorted manifest; empty in a row of before schema version 2
  std::string tenant;      // of the row's whole life
};

struct JobRow {
  std::string name;          // "jobs/{id}"
  int64_t order = 0;         // as above
  std::string model;         // "models/{id}"
  int state = 0;             // v1::Job::State
  bool unfinished = true;    // state is not terminal
  std::string body;          // v1::Job
  std::string recipe;        // v1::Recipe, resolved
  std::string pinned_class;  // empty until the first numeric task is leased
  std::string pinned_code;   // likewise
  int priority = 0;          // higher first; kUnknownPriority in a row of before schema version 3
  std::string tenant;        // of the row's whole life
};
inline constexpr int kUnknownPriority = std::numeric_limits<int>::min();

// A job that waits in the queue.
struct QueuedJob {
  std::string name;
  int priority = 0;
};

enum class TaskState { kWaiting = 0, kReady = 1, kLeased = 2, kDone = 3, kFailed = 4, kCancelled = 5 };

struct TaskRow {
  std::string name;   // "tasks/{id}"
  std::string owner;  // job or model
  std::string key;    // TaskNode.key, unique within the owner
  TaskState state = TaskState::kWaiting;
  int attempt = 0;                // attempts begun
  int64_t not_before_micros = 0;  // back-off
  std::string worker;             // of the last lease
  std::string worker_host;
  int worker_process = 0;
  int64_t fencing_token = 0;        // of the last lease; 0: never leased
  int64_t lease_expiry_micros = 0;  // as of the lease; heartbeats do not write it
  std::string digest;               // of the concrete spec, once it was leased or found in the action cache
  std::string result;               // v1::TaskResult when DONE
  std::string error;                // google.rpc.Status: the last failure
  double seconds = 0;
  bool cached = false;       // DONE without running
  int64_t begin_micros = 0;  // when its first attempt began, or it was found in the action cache; 0: not known
  int64_t end_micros = 0;    // when its last attempt ended, likewise
};

struct BlobRow {
  BlobDigest digest;
  int64_t last_use_micros = 0;
};

struct RequestRow {
  std::string tenant;
  std::string id;         // method and request_id
  std::string body_hash;  // SHA-256 of the request
  std::string resource;   // what the first call made
  int64_t create_micros = 0;
};

struct BlobTotals {
  int64_t count = 0;
  int64_t bytes = 0;
};

// Limits that were set for one tenant.
struct TenantRow {
  std::string name;
  TenantLimits limits;
};

// Which rows of models or jobs a list is of, by order.
struct RowQuery {
  std::string tenant;
  bool oldest_first = false;
  std::optional<int64_t> beyond;  // only rows after the one of this order, in that direction
  int limit = 0;
  int state = 0;            // of jobs alone; 0: all
  std::string name_prefix;  // empty: all
};

// Questions to one consistent state. NOT a cache: every call goes to the database, and costs as much as it returns (a
// walk where that is said). Any call may return INTERNAL, reason STORE_FAILED.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  virtual absl::StatusOr<std::optional<ModelRow>> GetModel(std::string_view name) = 0;
  virtual absl::StatusOr<bool> HasModel(std::string_view name) = 0;
  virtual absl::StatusOr<std::vector<ModelRow>> ListModels(const RowQuery& query) = 0;
  // Newest first, at most `limit`.
  virtual absl::StatusOr<std::vector<ModelRow>> ModelsOfContent(std::string_view tenant, std::string_view content,
                                                                int limit) = 0;
  virtual absl::StatusOr<std::vector<std::string>> UnfinishedModels(std::string_view tenant,
                                                                    int limit) = 0;  // oldest first
  // The tenants that have unfinished models. One step for each.
  virtual absl::StatusOr<std::vector<std::string>> TenantsInspecting() = 0;

  virtual absl::StatusOr<std::optional<JobRow>> GetJob(std::string_view name) = 0;
  virtual absl::StatusOr<std::vector<JobRow>> ListJobs(const RowQuery& query) = 0;
  // Unfinished jobs in a state, oldest first.
  virtual absl::StatusOr<std::vector<std::string>> UnfinishedJobs(int state, int limit) = 0;
  // A tenant's unfinished jobs in a state, in the order of the queue: higher priority first, then the older.
  virtual absl::StatusOr<std::vector<QueuedJob>> Queue(int state, std::string_view tenant, int limit) = 0;
  // The tenants that have unfinished jobs in a state. One step for each.
  virtual absl::StatusOr<std::vector<std::string>> TenantsWith(int state) = 0;
  // Unfinished jobs of kUnknownPriority. A walk over the unfinished ones.
  virtual absl::StatusOr<std::vector<JobRow>> JobsWithoutPriority(int limit) = 0;
  // An unfinished job that uses the model.
  virtual absl::StatusOr<std::optional<std::string>> JobUsing(std::string_view model) = 0;
  // Number of jobs by state: of all tenants (a step for each), of one.
  virtual absl::StatusOr<std::vector<std::pair<int, int64_t>>> CountJobs() = 0;
  virtual absl::StatusOr<int64_t> CountJobsOf(std::string_view tenant, int state) = 0;

  virtual absl::StatusOr<std::vector<TaskRow>> TasksOf(std::string_view owner) = 0;  // by key
  // The first `limit` of those whose key is greater than `after`.
  virtual absl::StatusOr<std::vector<TaskRow>> TasksPage(std::string_view owner, std::string_view after, int limit) = 0;
  virtual absl::StatusOr<std::optional<TaskRow>> GetTask(std::string_view name) = 0;

  // The TaskResult that a tenant's task of this digest left.
  virtual absl::StatusOr<std::optional<std::string>> GetAction(std::string_view tenant, std::string_view digest) = 0;

  virtual absl::StatusOr<bool> HasBlob(const BlobDigest& digest) = 0;
  // Whether the blob is there and the tenant's: it has a holding of it, or something of the tenant names it.
  virtual absl::StatusOr<bool> TenantHasBlob(std::string_view tenant, const BlobDigest& digest) = 0;
  virtual absl::StatusOr<std::vector<BlobDigest>> AllBlobs() = 0;  // a walk
  virtual absl::StatusOr<BlobTotals> CountBlobs() = 0;
  // Oldest use first: named by nothing and not used since `cutoff`, in two kinds. Garbage: no action-cache entry has it
  // as an output. Cache: one has.
  virtual absl::StatusOr<std::vector<BlobRow>> Garbage(int64_t cutoff_micros, int limit) = 0;
  virtual absl::StatusOr<std::vector<BlobRow>> ColdCache(int64_t cutoff_micros, int limit) = 0;
  // Bytes of all blobs that only the action cache names, however recently used. A walk.
  virtual absl::StatusOr<int64_t> CacheBytes() = 0;

  virtual absl::StatusOr<std::optional<RequestRow>> GetRequest(std::string_view tenant, std::string_view id) = 0;

  virtual absl::StatusOr<std::optional<TenantRow>> GetTenant(std::string_view name) = 0;
  // Names after `after`, in order: of those with limits of their own, and those that ever had a blob or a job.
  virtual absl::StatusOr<std::vector<std::string>> ListTenants(std::string_view after, int limit) = 0;
  // Bytes of the blobs that the tenant has a holding of or names, each counted once, as large as it was declared.
  virtual absl::StatusOr<int64_t> BytesOf(std::string_view tenant) = 0;
};

// Changes to one state. Put replaces the row of the same key.
class Transaction : public Snapshot {
 public:
  virtual absl::Status PutModel(const ModelRow& row) = 0;
  virtual absl::Status DeleteModel(std::string_view name) = 0;  // with its tasks and references
  virtual absl::Status PutJob(const JobRow& row) = 0;
  virtual absl::Status DeleteJob(std::string_view name) = 0;  // with its tasks and references

  virtual absl::Status PutTask(const TaskRow& row) = 0;

  // `outputs` are the blobs of the result: the entry goes when one of them goes.
  virtual absl::Status PutAction(std::string_view tenant, std::string_view digest, std::string_view result,
                                 const std::vector<BlobDigest>& outputs) = 0;
  // Of one tenant; empty: of every tenant.
  virtual absl::Status DeleteAction(std::string_view tenant, std::string_view digest) = 0;

  virtual absl::Status PutBlob(const BlobRow& row) = 0;
  // Raises last use; blobs that are not there are left out.
  virtual absl::Status TouchBlobs(const std::vector<BlobDigest>& digests, int64_t now_micros) = 0;
  // Forgets the blob and every action-cache entry that has it as an output, provided that nothing names it and it was
  // not used since `cutoff`. False: it stays.
  virtual absl::StatusOr<bool> RemoveBlobIfUnused(const BlobDigest& digest, int64_t cutoff_micros) = 0;
  // Forgets a blob whose bytes are gone, whatever names it, with all holdings of it.
  virtual absl::Status ForgetBlob(std::string_view sha256) = 0;

  // A tenant brought these blobs or used them now: a holding of each, which makes it the tenant's. The rows of the
  // blobs are to be touched, too: a blob is last used when anybody used it.
  virtual absl::Status PutHoldings(std::string_view tenant, const std::vector<BlobDigest>& digests,
                                   int64_t now_micros) = 0;
  // Drops the holdings of before `cutoff`, `limit` at most, and says how many. What something of the tenant names is
  // still its own.
  virtual absl::StatusOr<int> DropHoldings(int64_t cutoff_micros, int limit) = 0;

  // What keeps blobs from being collected: `owner` (a model, a job, or a job's or model's tasks), of that tenant, names
  // them.
  virtual absl::Status AddReferences(std::string_view owner, std::string_view tenant,
                                     const std::vector<BlobDigest>& digests) = 0;
  virtual absl::Status ClearReferences(std::string_view owner) = 0;

  virtual absl::Status PutTenant(const TenantRow& row) = 0;

  virtual absl::Status PutRequest(const RequestRow& row) = 0;
  virtual absl::Status DeleteRequestsBefore(int64_t create_micros) = 0;
};

// Everything that must survive a crash. Implementations: SQLite (sqlite_store.h); any database with serializable
// transactions can be another, held to tests/conformance/store_suite.h. Thread-safe.
//
// There is one writer. Transactions are applied in the order in which they were submitted, many to a commit, so that
// one fsync carries all that came while the last one ran; each of them is whole or not there, whatever becomes of the
// others. A body may be run more than once, and on another thread: it must set what it tells its caller, not add to
// it, and must not call the store. Every commit is made in the name of the term that the store was opened in: once
// another process leads (with SQLite there is none), all writes are refused with ABORTED, reason TERM_ENDED.
class Store {
 public:
  using Body = std::function<absl::Status(Transaction&)>;
  using Done = std::function<void(const absl::Status&)>;

  virtual ~Store() = default;

  // Runs `body` on one consistent state, which holds all that was committed when the call began. Returns its status.
  virtual absl::Status Read(const std::function<absl::Status(Snapshot&)>& body) = 0;

  // Runs `body` in one serializable transaction. When it returns OK the changes are committed and, when Write returns
  // OK, durable; otherwise nothing happened. RESOURCE_EXHAUSTED, reason DISK_FULL; INTERNAL, reason STORE_FAILED.
  virtual absl::Status Write(const Body& body) = 0;

  // The same without waiting: `done` is called with what Write would return, on a thread of the store, in the order of
  // submission. It must not call Write or Read; Submit is allowed.
  virtual void Submit(Body body, Done done) = 0;
};

// What a store tells of its commits: transactions in one, its seconds, and whether any of them is durable now.
using CommitObserver = std::function<void(int transactions, double seconds, bool committed)>;

}  // namespace bitwright::server
