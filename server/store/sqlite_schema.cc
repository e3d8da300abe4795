#include "server/store/sqlite_schema.h"

#include <array>

#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

// Step n brings version n − 1 to n. Steps are never changed once released; a change is a new step.
constexpr std::array kSteps = {
    R"sql(
CREATE TABLE models (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  unfinished INTEGER NOT NULL,
  body BLOB NOT NULL,
  info TEXT NOT NULL);
CREATE INDEX models_unfinished ON models(unfinished) WHERE unfinished = 1;

CREATE TABLE jobs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  model TEXT NOT NULL,
  state INTEGER NOT NULL,
  unfinished INTEGER NOT NULL,
  body BLOB NOT NULL,
  recipe BLOB NOT NULL,
  pinned_class TEXT NOT NULL,
  pinned_code TEXT NOT NULL);
CREATE INDEX jobs_state ON jobs(state, sequence);
CREATE INDEX jobs_unfinished ON jobs(model) WHERE unfinished = 1;

CREATE TABLE tasks (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  worker TEXT NOT NULL,
  worker_host TEXT NOT NULL,
  worker_process INTEGER NOT NULL,
  fencing_token INTEGER NOT NULL,
  lease_expiry INTEGER NOT NULL,
  digest TEXT NOT NULL,
  result BLOB NOT NULL,
  error BLOB NOT NULL,
  seconds REAL NOT NULL,
  cached INTEGER NOT NULL,
  UNIQUE(owner, key)) WITHOUT ROWID;

CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  last_use INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX blobs_last_use ON blobs(last_use);

CREATE TABLE blob_references (
  owner TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY(owner, sha256)) WITHOUT ROWID;
CREATE INDEX blob_references_sha256 ON blob_references(sha256);

CREATE TABLE actions (
  digest TEXT PRIMARY KEY,
  result BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE action_outputs (
  digest TEXT NOT NULL REFERENCES actions(digest) ON DELETE CASCADE,
  sha256 TEXT NOT NULL,
  PRIMARY KEY(digest, sha256)) WITHOUT ROWID;
CREATE INDEX action_outputs_sha256 ON action_outputs(sha256);

CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  resource TEXT NOT NULL,
  created INTEGER NOT NULL) WITHOUT ROWID;
)sql",
    // Models by what they consist of. Rows of before get their content when the server starts: it is in their body.
    R"sql(
ALTER TABLE models ADD COLUMN content TEXT NOT NULL DEFAULT '';
CREATE INDEX models_content ON models(content, sequence);
)sql",
    // The queue in its order; counts that need no walk; who leads. Rows of before get their priority and tenant when
    // the server starts: they are in their body.
    R"sql(
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_queue ON jobs(state, tenant, priority DESC, sequence) WHERE unfinished = 1;

CREATE TABLE job_counts (state INTEGER PRIMARY KEY, jobs INTEGER NOT NULL);
INSERT INTO job_counts SELECT state, count(*) FROM jobs GROUP BY state;
CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
  INSERT INTO job_counts VALUES (new.state, 1) ON CONFLICT(state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state;
  INSERT INTO job_counts VALUES (new.state, 1) ON CONFLICT(state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_removed AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state;
END;

CREATE TABLE blob_totals (id INTEGER PRIMARY KEY CHECK (id = 1), blobs INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO blob_totals SELECT 1, count(*), coalesce(sum(size), 0) FROM blobs;
CREATE TRIGGER blobs_added AFTER INSERT ON blobs BEGIN
  UPDATE blob_totals SET blobs = blobs + 1, bytes = bytes + new.size;
END;
CREATE TRIGGER blobs_resized AFTER UPDATE OF size ON blobs BEGIN
  UPDATE blob_totals SET bytes = bytes - old.size + new.size;
END;
CREATE TRIGGER blobs_removed AFTER DELETE ON blobs BEGIN
  UPDATE blob_totals SET blobs = blobs - 1, bytes = bytes - old.size;
END;

CREATE TABLE leader (id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL);
INSERT INTO leader VALUES (1, 1);
)sql",
};

absl::StatusOr<int> Version(SqliteDb& db) {
  Statement read = db.Prepare("SELECT coalesce(max(version), 0) FROM schema_version", "read its version");
  ABSL_RETURN_IF_ERROR(read.Step().status());
  return static_cast<int>(read.Int(0));
}

}  // namespace

absl::Status MigrateSchema(SqliteDb& db, const std::string& path) {
  ABSL_RETURN_IF_ERROR(db.Execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)",
                                  "create its version table"));
  ABSL_ASSIGN_OR_RETURN(const int version, Version(db));
  const int newest = static_cast<int>(kSteps.size());
  if (version > newest) return StoreNewerError(path, version, newest);
  for (int step = version + 1; step <= newest; ++step) {
    const std::string sql = "BEGIN IMMEDIATE;" + std::string(kSteps[step - 1]) + "INSERT INTO schema_version VALUES (" +
                            std::to_string(step) + "); COMMIT;";
    if (absl::Status status = db.Execute(sql, "migrate to version " + std::to_string(step)); !status.ok()) {
      (void)db.Execute("ROLLBACK", "roll back");
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
