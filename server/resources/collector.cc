#include "server/resources/collector.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "server/jobs/job_state.h"

namespace bitwright::server {
namespace {

constexpr int kBatch = 1000;

absl::StatusOr<std::optional<JobRow>> OldestQueued(Snapshot& snapshot) {
  std::optional<JobRow> oldest;
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> tenants, snapshot.TenantsWith(v1::Job::QUEUED));
  for (const std::string& tenant : tenants) {
    ABSL_ASSIGN_OR_RETURN(
        std::vector<JobRow> rows,
        snapshot.ListJobs({.tenant = tenant, .oldest_first = true, .limit = 1, .state = v1::Job::QUEUED}));
    if (!rows.empty() && (!oldest || rows[0].order < oldest->order)) oldest = std::move(rows[0]);
  }
  return oldest;
}

}  // namespace

absl::Status Collector::Run() {
  const absl::Time now = clock_.Now();
  const absl::Time cutoff = now - options_.grace;
  ABSL_RETURN_IF_ERROR(DropHoldings(cutoff));
  ABSL_RETURN_IF_ERROR(ShrinkCache(cutoff));
  ABSL_RETURN_IF_ERROR(RemoveGarbage(cutoff));
  ABSL_RETURN_IF_ERROR(
      store_.Write([&](Transaction& tx) { return tx.DeleteRequestsBefore(ToMicros(now - options_.request_memory)); }));
  return blobs_.DiscardStaleUploads(cutoff);
}

// A blob was last used when the last of its holders used it, so that holdings are dropped before the blob goes.
absl::Status Collector::DropHoldings(absl::Time cutoff) {
  for (int dropped = kBatch; dropped == kBatch;) {
    ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
      ABSL_ASSIGN_OR_RETURN(dropped, tx.DropHoldings(ToMicros(cutoff), kBatch));
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::Status Collector::RemoveGarbage(absl::Time cutoff) {
  while (true) {
    std::vector<BlobRow> rows;
    ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
      ABSL_ASSIGN_OR_RETURN(rows, snapshot.Garbage(ToMicros(cutoff), kBatch));
      return absl::OkStatus();
    }));
    int64_t removed = 0;
    for (const BlobRow& row : rows) {
      ABSL_ASSIGN_OR_RETURN(const bool gone, held_.Collect(row.digest, cutoff));
      removed += gone ? 1 : 0;
    }
    metrics_.BlobsCollected(removed);
    if (removed > 0) LOG(INFO) << removed << " unused blobs removed";
    if (static_cast<int>(rows.size()) < kBatch || removed == 0) return absl::OkStatus();
  }
}

absl::Status Collector::ShrinkCache(absl::Time cutoff) {
  int64_t bytes = 0;
  std::vector<BlobRow> rows;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(bytes, snapshot.CacheBytes());
    if (bytes <= options_.cache_bytes) return absl::OkStatus();
    ABSL_ASSIGN_OR_RETURN(rows, snapshot.ColdCache(ToMicros(cutoff), kBatch));
    return absl::OkStatus();
  }));
  int64_t removed = 0;
  for (const BlobRow& row : rows) {
    if (bytes <= options_.cache_bytes) break;
    ABSL_ASSIGN_OR_RETURN(const bool gone, held_.Collect(row.digest, cutoff));
    if (!gone) continue;
    bytes -= row.digest.size_bytes;
    ++removed;
  }
  metrics_.BlobsCollected(removed);
  if (removed > 0) LOG(INFO) << removed << " blobs of the cache removed";
  return absl::OkStatus();
}

absl::Status Collector::Measure() {
  BlobTotals totals;
  std::map<int, int64_t> jobs;
  std::optional<JobRow> oldest;
  for (int state = v1::Job::QUEUED; state <= v1::Job::CANCELLED; ++state) jobs[state] = 0;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(totals, snapshot.CountBlobs());
    ABSL_ASSIGN_OR_RETURN(const auto counts, snapshot.CountJobs());
    for (const auto& [state, count] : counts) jobs[state] = count;
    ABSL_ASSIGN_OR_RETURN(oldest, OldestQueued(snapshot));
    return absl::OkStatus();
  }));
  metrics_.SetBlobs(totals.count, totals.bytes);
  v1::Job queued;
  const bool any = oldest && queued.ParseFromString(oldest->body);
  metrics_.SetOldestQueuedJob(any ? absl::ToDoubleSeconds(clock_.Now() - FromProto(queued.create_time())) : 0);
  for (const auto& [state, count] : jobs) {
    const std::string_view name = JobStateName(static_cast<v1::Job::State>(state));
    metrics_.SetJobs(absl::AsciiStrToLower(absl::string_view(name.data(), name.size())), count);
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
