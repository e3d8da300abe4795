-- A database of schema version 3, as the program of that time made it, with some rows.
CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
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

ALTER TABLE models ADD COLUMN content TEXT NOT NULL DEFAULT '';
CREATE INDEX models_content ON models(content, sequence);

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

INSERT INTO schema_version VALUES (1), (2), (3);

INSERT INTO models(name, unfinished, body, info, content) VALUES ('models/a', 0, 'model body', 'info digest', 'c');
INSERT INTO models(name, unfinished, body, info, content) VALUES ('models/b', 1, 'other body', '', 'd');
INSERT INTO jobs(name, model, state, unfinished, body, recipe, pinned_class, pinned_code, priority, tenant) VALUES
  ('jobs/ended', 'models/a', 3, 0, 'job body', 'recipe', 'class', 'code', 0, ''),
  ('jobs/early', 'models/a', 1, 1, 'job body', 'recipe', '', '', 0, ''),
  ('jobs/queued', 'models/a', 1, 1, 'job body', 'recipe', '', '', 4, 'default');
INSERT INTO blobs VALUES ('file', 100, 7), ('output', 20, 8), ('text', 3, 9);
INSERT INTO blob_references VALUES ('models/a', 'file'), ('jobs/ended', 'file'), ('jobs/queued', 'lost');
INSERT INTO actions VALUES ('digest', 'result');
INSERT INTO action_outputs VALUES ('digest', 'output');
INSERT INTO requests VALUES ('CreateJob/r', 'hash', 'jobs/queued', 5);
