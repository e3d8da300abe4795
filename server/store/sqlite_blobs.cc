#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_transaction.h"

namespace bitwright::server {
namespace {

#define NOT_NAMED "NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = b.sha256)"
#define CACHED "EXISTS (SELECT 1 FROM action_outputs a WHERE a.sha256 = b.sha256)"

absl::StatusOr<std::vector<BlobRow>> Collect(Statement& read) {
  std::vector<BlobRow> rows;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(const bool more, read.Step());
    if (!more) return rows;
    rows.push_back({{read.Str(0), read.Int(1)}, read.Int(2)});
  }
}

}  // namespace

absl::StatusOr<bool> SqliteTransaction::HasBlob(const BlobDigest& digest) {
  return db_.Prepare("SELECT 1 FROM blobs WHERE sha256 = ? AND size = ?", "look for a blob")
      .Text(digest.sha256)
      .Bind(digest.size_bytes)
      .Step();
}

absl::StatusOr<bool> SqliteTransaction::TenantHasBlob(std::string_view tenant, const BlobDigest& digest) {
  return db_
      .Prepare(
          "SELECT 1 FROM blobs b WHERE sha256 = ?1 AND size = ?2 AND ("
          "EXISTS (SELECT 1 FROM holdings h WHERE h.sha256 = ?1 AND h.tenant = ?3) OR "
          "EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = ?1 AND r.tenant = ?3))",
          "look for a tenant's blob")
      .Text(digest.sha256)
      .Bind(digest.size_bytes)
      .Text(tenant)
      .Step();
}

absl::StatusOr<std::vector<BlobDigest>> SqliteTransaction::AllBlobs() {
  Statement read = db_.Prepare("SELECT sha256, size FROM blobs", "list blobs");
  std::vector<BlobDigest> digests;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(const bool more, read.Step());
    if (!more) return digests;
    digests.push_back({read.Str(0), read.Int(1)});
  }
}

absl::StatusOr<BlobTotals> SqliteTransaction::CountBlobs() {
  Statement read = db_.Prepare("SELECT blobs, bytes FROM blob_totals", "count blobs");
  ABSL_RETURN_IF_ERROR(read.Step().status());
  return BlobTotals{read.Int(0), read.Int(1)};
}

absl::StatusOr<std::vector<BlobRow>> SqliteTransaction::Garbage(int64_t cutoff_micros, int limit) {
  Statement read = db_.Prepare("SELECT sha256, size, last_use FROM blobs b WHERE last_use < ? AND " NOT_NAMED
                               " AND NOT " CACHED " ORDER BY last_use, sha256 LIMIT ?",
                               "find garbage");
  return Collect(read.Bind(cutoff_micros).Bind(int64_t{limit}));
}

absl::StatusOr<std::vector<BlobRow>> SqliteTransaction::ColdCache(int64_t cutoff_micros, int limit) {
  Statement read = db_.Prepare("SELECT sha256, size, last_use FROM blobs b WHERE last_use < ? AND " NOT_NAMED
                               " AND " CACHED " ORDER BY last_use, sha256 LIMIT ?",
                               "find cold cache");
  return Collect(read.Bind(cutoff_micros).Bind(int64_t{limit}));
}

absl::StatusOr<int64_t> SqliteTransaction::CacheBytes() {
  Statement read =
      db_.Prepare("SELECT coalesce(sum(size), 0) FROM blobs b WHERE " NOT_NAMED " AND " CACHED, "size the cache");
  ABSL_RETURN_IF_ERROR(read.Step().status());
  return read.Int(0);
}

absl::Status SqliteTransaction::PutBlob(const BlobRow& row) {
  return db_
      .Prepare(
          "INSERT INTO blobs VALUES (?, ?, ?) ON CONFLICT(sha256) DO UPDATE SET size = excluded.size, "
          "last_use = excluded.last_use",
          "write a blob")
      .Text(row.digest.sha256)
      .Bind(row.digest.size_bytes)
      .Bind(row.last_use_micros)
      .Run();
}

absl::Status SqliteTransaction::TouchBlobs(const std::vector<BlobDigest>& digests, int64_t now_micros) {
  for (const BlobDigest& digest : digests) {
    ABSL_RETURN_IF_ERROR(db_.Prepare("UPDATE blobs SET last_use = ? WHERE sha256 = ? AND last_use < ?", "touch a blob")
                             .Bind(now_micros)
                             .Text(digest.sha256)
                             .Bind(now_micros)
                             .Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteTransaction::RemoveBlobIfUnused(const BlobDigest& digest, int64_t cutoff_micros) {
  {
    Statement find = db_.Prepare("SELECT 1 FROM blobs b WHERE sha256 = ? AND last_use < ? AND " NOT_NAMED,
                                 "check that a blob is unused");
    ABSL_ASSIGN_OR_RETURN(const bool unused, find.Text(digest.sha256).Bind(cutoff_micros).Step());
    if (!unused) return false;
  }
  ABSL_RETURN_IF_ERROR(ForgetBlob(digest.sha256));
  return true;
}

absl::Status SqliteTransaction::ForgetBlob(std::string_view sha256) {
  ABSL_RETURN_IF_ERROR(db_.Prepare("DELETE FROM actions WHERE (digest, tenant) IN "
                                   "(SELECT digest, tenant FROM action_outputs WHERE sha256 = ?)",
                                   "drop actions")
                           .Text(sha256)
                           .Run());
  ABSL_RETURN_IF_ERROR(db_.Prepare("DELETE FROM holdings WHERE sha256 = ?", "drop holdings").Text(sha256).Run());
  return db_.Prepare("DELETE FROM blobs WHERE sha256 = ?", "forget a blob").Text(sha256).Run();
}

absl::Status SqliteTransaction::AddReferences(std::string_view owner, std::string_view tenant,
                                              const std::vector<BlobDigest>& digests) {
  for (const BlobDigest& digest : digests) {
    ABSL_RETURN_IF_ERROR(db_.Prepare("INSERT OR IGNORE INTO blob_references VALUES (?, ?, ?, ?)", "refer to a blob")
                             .Text(owner)
                             .Text(digest.sha256)
                             .Text(tenant)
                             .Bind(digest.size_bytes)
                             .Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteTransaction::ClearReferences(std::string_view owner) {
  return db_.Prepare("DELETE FROM blob_references WHERE owner = ?", "drop references").Text(owner).Run();
}

}  // namespace bitwright::server
