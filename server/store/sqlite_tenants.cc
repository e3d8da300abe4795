#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_transaction.h"

namespace bitwright::server {
namespace {

// The number in the first column of the first row; 0: there is none.
absl::StatusOr<int64_t> Number(Statement& read) {
  ABSL_ASSIGN_OR_RETURN(const bool found, read.Step());
  return found ? read.Int(0) : 0;
}

}  // namespace

absl::StatusOr<std::optional<TenantRow>> SqliteTransaction::GetTenant(std::string_view name) {
  Statement read =
      db_.Prepare("SELECT bytes, queued_jobs, running_jobs FROM tenants WHERE name = ?", "read a tenant's limits");
  ABSL_ASSIGN_OR_RETURN(const bool found, read.Text(name).Step());
  if (!found) return std::nullopt;
  return TenantRow{std::string(name), {.bytes = read.Int(0), .queued_jobs = read.Int(1), .running_jobs = read.Int(2)}};
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::ListTenants(std::string_view after, int limit) {
  Statement read = db_.Prepare(
      "SELECT name FROM tenants WHERE name > ?1 UNION SELECT tenant FROM tenant_totals WHERE tenant > ?1 "
      "UNION SELECT tenant FROM job_counts WHERE tenant > ?1 ORDER BY 1 LIMIT ?2",
      "list tenants");
  read.Text(after).Bind(int64_t{limit});
  std::vector<std::string> names;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(const bool more, read.Step());
    if (!more) return names;
    names.push_back(read.Str(0));
  }
}

absl::StatusOr<int64_t> SqliteTransaction::BytesOf(std::string_view tenant) {
  Statement read = db_.Prepare("SELECT bytes FROM tenant_totals WHERE tenant = ?", "count a tenant's bytes");
  return Number(read.Text(tenant));
}

absl::StatusOr<int64_t> SqliteTransaction::CountJobsOf(std::string_view tenant, int state) {
  Statement read = db_.Prepare("SELECT jobs FROM job_counts WHERE tenant = ? AND state = ?", "count a tenant's jobs");
  return Number(read.Text(tenant).Bind(int64_t{state}));
}

absl::Status SqliteTransaction::PutTenant(const TenantRow& row) {
  return db_.Prepare("INSERT OR REPLACE INTO tenants VALUES (?, ?, ?, ?)", "write a tenant's limits")
      .Text(row.name)
      .Bind(row.limits.bytes)
      .Bind(row.limits.queued_jobs)
      .Bind(row.limits.running_jobs)
      .Run();
}

absl::Status SqliteTransaction::PutHoldings(std::string_view tenant, const std::vector<BlobDigest>& digests,
                                            int64_t now_micros) {
  for (const BlobDigest& digest : digests) {
    ABSL_RETURN_IF_ERROR(db_.Prepare("INSERT INTO holdings VALUES (?, ?, ?, ?) ON CONFLICT(sha256, tenant) DO UPDATE "
                                     "SET last_use = excluded.last_use WHERE last_use < excluded.last_use",
                                     "hold a blob")
                             .Text(digest.sha256)
                             .Text(tenant)
                             .Bind(digest.size_bytes)
                             .Bind(now_micros)
                             .Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<int> SqliteTransaction::DropHoldings(int64_t cutoff_micros, int limit) {
  ABSL_RETURN_IF_ERROR(db_.Prepare("DELETE FROM holdings WHERE (sha256, tenant) IN (SELECT sha256, tenant FROM "
                                   "holdings WHERE last_use < ? ORDER BY last_use LIMIT ?)",
                                   "drop old holdings")
                           .Bind(cutoff_micros)
                           .Bind(int64_t{limit})
                           .Run());
  Statement read = db_.Prepare("SELECT changes()", "count dropped holdings");
  ABSL_ASSIGN_OR_RETURN(const int64_t dropped, Number(read));
  return static_cast<int>(dropped);
}

}  // namespace bitwright::server
