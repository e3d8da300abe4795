#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_transaction.h"

namespace bitwright::server {
namespace {

#define TASK_COLUMNS                                                                                                 \
  "name, owner, key, state, attempt, not_before, worker, worker_host, worker_process, fencing_token, lease_expiry, " \
  "digest, result, error, seconds, cached, begun, ended"

TaskRow ReadTask(const Statement& row) {
  return {.name = row.Str(0),
          .owner = row.Str(1),
          .key = row.Str(2),
          .state = static_cast<TaskState>(row.Int(3)),
          .attempt = static_cast<int>(row.Int(4)),
          .not_before_micros = row.Int(5),
          .worker = row.Str(6),
          .worker_host = row.Str(7),
          .worker_process = static_cast<int>(row.Int(8)),
          .fencing_token = row.Int(9),
          .lease_expiry_micros = row.Int(10),
          .digest = row.Str(11),
          .result = row.Str(12),
          .error = row.Str(13),
          .seconds = row.Real(14),
          .cached = row.Int(15) != 0,
          .begin_micros = row.Int(16),
          .end_micros = row.Int(17)};
}

}  // namespace

absl::StatusOr<std::vector<TaskRow>> SqliteTransaction::TasksOf(std::string_view owner) {
  return TasksPage(owner, "", -1);
}

absl::StatusOr<std::vector<TaskRow>> SqliteTransaction::TasksPage(std::string_view owner, std::string_view after,
                                                                  int limit) {
  Statement read =
      db_.Prepare("SELECT " TASK_COLUMNS " FROM tasks WHERE owner = ? AND key > ? ORDER BY key LIMIT ?", "list tasks");
  read.Text(owner).Text(after).Bind(int64_t{limit});  // a negative limit is none
  std::vector<TaskRow> rows;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(const bool more, read.Step());
    if (!more) return rows;
    rows.push_back(ReadTask(read));
  }
}

absl::StatusOr<std::optional<TaskRow>> SqliteTransaction::GetTask(std::string_view name) {
  Statement read = db_.Prepare("SELECT " TASK_COLUMNS " FROM tasks WHERE name = ?", "read a task");
  ABSL_ASSIGN_OR_RETURN(const bool found, read.Text(name).Step());
  return found ? std::optional(ReadTask(read)) : std::nullopt;
}

absl::Status SqliteTransaction::PutTask(const TaskRow& row) {
  return db_
      .Prepare("INSERT INTO tasks(" TASK_COLUMNS
               ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
               "ON CONFLICT(name) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, "
               "not_before = excluded.not_before, worker = excluded.worker, worker_host = excluded.worker_host, "
               "worker_process = excluded.worker_process, fencing_token = excluded.fencing_token, "
               "lease_expiry = excluded.lease_expiry, digest = excluded.digest, result = excluded.result, "
               "error = excluded.error, seconds = excluded.seconds, cached = excluded.cached, begun = excluded.begun, "
               "ended = excluded.ended",
               "write a task")
      .Text(row.name)
      .Text(row.owner)
      .Text(row.key)
      .Bind(static_cast<int64_t>(row.state))
      .Bind(int64_t{row.attempt})
      .Bind(row.not_before_micros)
      .Text(row.worker)
      .Text(row.worker_host)
      .Bind(int64_t{row.worker_process})
      .Bind(row.fencing_token)
      .Bind(row.lease_expiry_micros)
      .Text(row.digest)
      .Blob(row.result)
      .Blob(row.error)
      .Bind(row.seconds)
      .Bind(int64_t{row.cached})
      .Bind(row.begin_micros)
      .Bind(row.end_micros)
      .Run();
}

absl::Status SqliteTransaction::DeleteTasksOf(std::string_view owner) {
  return db_.Prepare("DELETE FROM tasks WHERE owner = ?", "delete tasks").Text(owner).Run();
}

absl::StatusOr<std::optional<std::string>> SqliteTransaction::GetAction(std::string_view tenant,
                                                                        std::string_view digest) {
  Statement read = db_.Prepare("SELECT result FROM actions WHERE digest = ? AND tenant = ?", "read the action cache");
  ABSL_ASSIGN_OR_RETURN(const bool found, read.Text(digest).Text(tenant).Step());
  return found ? std::optional(read.Str(0)) : std::nullopt;
}

absl::Status SqliteTransaction::PutAction(std::string_view tenant, std::string_view digest, std::string_view result,
                                          const std::vector<BlobDigest>& outputs) {
  ABSL_RETURN_IF_ERROR(db_.Prepare("DELETE FROM actions WHERE digest = ? AND tenant = ?", "replace an action")
                           .Text(digest)
                           .Text(tenant)
                           .Run());
  ABSL_RETURN_IF_ERROR(db_.Prepare("INSERT INTO actions VALUES (?, ?, ?)", "write an action")
                           .Text(digest)
                           .Text(tenant)
                           .Blob(result)
                           .Run());
  for (const BlobDigest& output : outputs) {
    ABSL_RETURN_IF_ERROR(
        db_.Prepare("INSERT OR IGNORE INTO action_outputs VALUES (?, ?, ?)", "write an action's output")
            .Text(digest)
            .Text(tenant)
            .Text(output.sha256)
            .Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteTransaction::DeleteAction(std::string_view tenant, std::string_view digest) {
  if (tenant.empty()) return db_.Prepare("DELETE FROM actions WHERE digest = ?", "delete actions").Text(digest).Run();
  return db_.Prepare("DELETE FROM actions WHERE digest = ? AND tenant = ?", "delete an action")
      .Text(digest)
      .Text(tenant)
      .Run();
}

}  // namespace bitwright::server
