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
    // Tenants. All rows of before are those of the tenant "default". A job whose tenant was unknown gets a priority
    // that no job has: its own is in its body, and is put there when the server starts. The bytes of a tenant are
    // counted as rows come and go: a blob with its first holding or reference, until its last one goes.
    R"sql(
ALTER TABLE models ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
DROP INDEX models_unfinished;
DROP INDEX models_content;
CREATE INDEX models_inspecting ON models(tenant, sequence) WHERE unfinished = 1;
CREATE INDEX models_content ON models(tenant, content, sequence);
CREATE INDEX models_tenant ON models(tenant, sequence);
CREATE INDEX models_name ON models(tenant, name);

UPDATE jobs SET priority = -2147483648 WHERE tenant = '' AND unfinished = 1;
UPDATE jobs SET tenant = 'default' WHERE tenant = '';
DROP INDEX jobs_state;
CREATE INDEX jobs_state ON jobs(tenant, state, sequence);
CREATE INDEX jobs_tenant ON jobs(tenant, sequence);
CREATE INDEX jobs_name ON jobs(tenant, name);
DROP TRIGGER jobs_added;
DROP TRIGGER jobs_moved;
DROP TRIGGER jobs_removed;
DROP TABLE job_counts;
CREATE TABLE job_counts (
  tenant TEXT NOT NULL,
  state INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY(tenant, state)) WITHOUT ROWID;
INSERT INTO job_counts SELECT tenant, state, count(*) FROM jobs GROUP BY tenant, state;
CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
  INSERT INTO job_counts VALUES (new.tenant, new.state, 1) ON CONFLICT(tenant, state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE tenant = old.tenant AND state = old.state;
  INSERT INTO job_counts VALUES (new.tenant, new.state, 1) ON CONFLICT(tenant, state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_removed AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE tenant = old.tenant AND state = old.state;
END;

ALTER TABLE requests RENAME TO old_requests;
CREATE TABLE requests (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  resource TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY(tenant, id)) WITHOUT ROWID;
INSERT INTO requests SELECT 'default', id, body_hash, resource, created FROM old_requests;
DROP TABLE old_requests;

DROP INDEX action_outputs_sha256;
ALTER TABLE actions RENAME TO old_actions;
ALTER TABLE action_outputs RENAME TO old_action_outputs;
CREATE TABLE actions (
  digest TEXT NOT NULL,
  tenant TEXT NOT NULL,
  result BLOB NOT NULL,
  PRIMARY KEY(digest, tenant)) WITHOUT ROWID;
CREATE TABLE action_outputs (
  digest TEXT NOT NULL,
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY(digest, tenant, sha256),
  FOREIGN KEY(digest, tenant) REFERENCES actions(digest, tenant) ON DELETE CASCADE) WITHOUT ROWID;
INSERT INTO actions SELECT digest, 'default', result FROM old_actions;
INSERT INTO action_outputs SELECT digest, 'default', sha256 FROM old_action_outputs;
DROP TABLE old_action_outputs;
DROP TABLE old_actions;
CREATE INDEX action_outputs_sha256 ON action_outputs(sha256);

ALTER TABLE blob_references ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
ALTER TABLE blob_references ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
UPDATE blob_references SET size = coalesce((SELECT size FROM blobs b WHERE b.sha256 = blob_references.sha256), 0);
DROP INDEX blob_references_sha256;
CREATE INDEX blob_references_sha256 ON blob_references(sha256, tenant);

CREATE TABLE holdings (
  sha256 TEXT NOT NULL,
  tenant TEXT NOT NULL,
  size INTEGER NOT NULL,
  last_use INTEGER NOT NULL,
  PRIMARY KEY(sha256, tenant)) WITHOUT ROWID;
INSERT INTO holdings SELECT sha256, 'default', size, last_use FROM blobs;
CREATE INDEX holdings_last_use ON holdings(last_use);

CREATE TABLE tenants (
  name TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  queued_jobs INTEGER NOT NULL,
  running_jobs INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tenant_totals (tenant TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO tenant_totals SELECT 'default', sum(size) FROM blobs HAVING count(*) > 0;
CREATE TRIGGER holdings_added AFTER INSERT ON holdings
WHEN NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = new.sha256 AND r.tenant = new.tenant) BEGIN
  INSERT INTO tenant_totals VALUES (new.tenant, new.size)
  ON CONFLICT(tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER holdings_removed AFTER DELETE ON holdings
WHEN NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = old.sha256 AND r.tenant = old.tenant) BEGIN
  UPDATE tenant_totals SET bytes = bytes - old.size WHERE tenant = old.tenant;
END;
CREATE TRIGGER references_added AFTER INSERT ON blob_references
WHEN NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = new.sha256 AND r.tenant = new.tenant
                 AND r.owner <> new.owner)
AND NOT EXISTS (SELECT 1 FROM holdings h WHERE h.sha256 = new.sha256 AND h.tenant = new.tenant) BEGIN
  INSERT INTO tenant_totals VALUES (new.tenant, new.size)
  ON CONFLICT(tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER references_removed AFTER DELETE ON blob_references
WHEN NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = old.sha256 AND r.tenant = old.tenant)
AND NOT EXISTS (SELECT 1 FROM holdings h WHERE h.sha256 = old.sha256 AND h.tenant = old.tenant) BEGIN
  UPDATE tenant_totals SET bytes = bytes - old.size WHERE tenant = old.tenant;
END;
)sql",
    // When tasks ran. Of rows of before it is not known.
    R"sql(
ALTER TABLE tasks ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
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
