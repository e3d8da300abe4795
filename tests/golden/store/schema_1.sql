-- A database as version 1 of the schema left it, with one row of each resource.
CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
INSERT INTO schema_version VALUES (1);
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

INSERT INTO models(name, unfinished, body, info) VALUES ('models/a', 0, 'model body', 'info digest');
INSERT INTO models(name, unfinished, body, info) VALUES ('models/b', 1, 'other body', '');
INSERT INTO jobs(name, model, state, unfinished, body, recipe, pinned_class, pinned_code)
  VALUES ('jobs/a', 'models/a', 3, 0, 'job body', 'recipe', 'class', 'code');
