#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_transaction.h"

namespace bitwright::server {
namespace {

#define MODEL_COLUMNS "sequence, name, unfinished, body, info"
#define JOB_COLUMNS "sequence, name, model, state, unfinished, body, recipe, pinned_class, pinned_code"

ModelRow ReadModel(const Statement& row) {
  return {
      .name = row.Str(1), .order = row.Int(0), .unfinished = row.Int(2) != 0, .body = row.Str(3), .info = row.Str(4)};
}

JobRow ReadJob(const Statement& row) {
  return {.name = row.Str(1),
          .order = row.Int(0),
          .model = row.Str(2),
          .state = static_cast<int>(row.Int(3)),
          .unfinished = row.Int(4) != 0,
          .body = row.Str(5),
          .recipe = row.Str(6),
          .pinned_class = row.Str(7),
          .pinned_code = row.Str(8)};
}

// All rows of a statement, each made by `make`.
template <typename Make>
auto Collect(Statement& statement, Make make) -> absl::StatusOr<std::vector<decltype(make(statement))>> {
  std::vector<decltype(make(statement))> rows;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(const bool more, statement.Step());
    if (!more) return rows;
    rows.push_back(make(statement));
  }
}

template <typename Make>
auto First(Statement& statement, Make make) -> absl::StatusOr<std::optional<decltype(make(statement))>> {
  std::optional<decltype(make(statement))> found;
  ABSL_ASSIGN_OR_RETURN(const bool more, statement.Step());
  if (more) found = make(statement);
  return found;
}

std::string ReadText(const Statement& row) { return row.Str(0); }

}  // namespace

absl::StatusOr<std::optional<ModelRow>> SqliteTransaction::GetModel(std::string_view name) {
  Statement read = db_.Prepare("SELECT " MODEL_COLUMNS " FROM models WHERE name = ?", "read a model");
  return First(read.Text(name), ReadModel);
}

absl::StatusOr<std::vector<ModelRow>> SqliteTransaction::ListModels(int64_t before, int limit) {
  Statement read = db_.Prepare("SELECT " MODEL_COLUMNS " FROM models WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
                               "list models");
  return Collect(read.Bind(before).Bind(int64_t{limit}), ReadModel);
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::UnfinishedModels() {
  Statement read =
      db_.Prepare("SELECT name FROM models WHERE unfinished = 1 ORDER BY sequence", "list unfinished models");
  return Collect(read, ReadText);
}

absl::StatusOr<std::optional<JobRow>> SqliteTransaction::GetJob(std::string_view name) {
  Statement read = db_.Prepare("SELECT " JOB_COLUMNS " FROM jobs WHERE name = ?", "read a job");
  return First(read.Text(name), ReadJob);
}

absl::StatusOr<std::vector<JobRow>> SqliteTransaction::ListJobs(int64_t before, int limit, int state) {
  if (state == 0) {
    Statement read =
        db_.Prepare("SELECT " JOB_COLUMNS " FROM jobs WHERE sequence < ? ORDER BY sequence DESC LIMIT ?", "list jobs");
    return Collect(read.Bind(before).Bind(int64_t{limit}), ReadJob);
  }
  Statement read = db_.Prepare(
      "SELECT " JOB_COLUMNS " FROM jobs WHERE state = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?", "list jobs");
  return Collect(read.Bind(int64_t{state}).Bind(before).Bind(int64_t{limit}), ReadJob);
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::UnfinishedJobs() {
  Statement read = db_.Prepare("SELECT name FROM jobs WHERE unfinished = 1 ORDER BY sequence", "list unfinished jobs");
  return Collect(read, ReadText);
}

absl::StatusOr<std::optional<std::string>> SqliteTransaction::JobUsing(std::string_view model) {
  Statement read =
      db_.Prepare("SELECT name FROM jobs WHERE unfinished = 1 AND model = ? LIMIT 1", "find a job of a model");
  return First(read.Text(model), ReadText);
}

absl::StatusOr<std::vector<std::pair<int, int64_t>>> SqliteTransaction::CountJobs() {
  Statement read = db_.Prepare("SELECT state, count(*) FROM jobs GROUP BY state", "count jobs");
  return Collect(read, [](const Statement& row) { return std::pair(static_cast<int>(row.Int(0)), row.Int(1)); });
}

absl::StatusOr<std::optional<RequestRow>> SqliteTransaction::GetRequest(std::string_view id) {
  Statement read = db_.Prepare("SELECT id, body_hash, resource, created FROM requests WHERE id = ?", "read a request");
  return First(read.Text(id), [](const Statement& row) {
    return RequestRow{row.Str(0), row.Str(1), row.Str(2), row.Int(3)};
  });
}

absl::Status SqliteTransaction::PutModel(const ModelRow& row) {
  return db_
      .Prepare(
          "INSERT INTO models(name, unfinished, body, info) VALUES (?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET "
          "unfinished = excluded.unfinished, body = excluded.body, info = excluded.info",
          "write a model")
      .Text(row.name)
      .Bind(int64_t{row.unfinished})
      .Blob(row.body)
      .Text(row.info)
      .Run();
}

absl::Status SqliteTransaction::DeleteModel(std::string_view name) {
  ABSL_RETURN_IF_ERROR(DeleteTasksOf(name));
  ABSL_RETURN_IF_ERROR(ClearReferences(name));
  return db_.Prepare("DELETE FROM models WHERE name = ?", "delete a model").Text(name).Run();
}

absl::Status SqliteTransaction::PutJob(const JobRow& row) {
  return db_
      .Prepare(
          "INSERT INTO jobs(name, model, state, unfinished, body, recipe, pinned_class, pinned_code) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET state = excluded.state, "
          "unfinished = excluded.unfinished, body = excluded.body, recipe = excluded.recipe, "
          "pinned_class = excluded.pinned_class, pinned_code = excluded.pinned_code",
          "write a job")
      .Text(row.name)
      .Text(row.model)
      .Bind(int64_t{row.state})
      .Bind(int64_t{row.unfinished})
      .Blob(row.body)
      .Blob(row.recipe)
      .Text(row.pinned_class)
      .Text(row.pinned_code)
      .Run();
}

absl::Status SqliteTransaction::DeleteJob(std::string_view name) {
  ABSL_RETURN_IF_ERROR(DeleteTasksOf(name));
  ABSL_RETURN_IF_ERROR(ClearReferences(name));
  return db_.Prepare("DELETE FROM jobs WHERE name = ?", "delete a job").Text(name).Run();
}

absl::Status SqliteTransaction::PutRequest(const RequestRow& row) {
  return db_.Prepare("INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?)", "write a request")
      .Text(row.id)
      .Text(row.body_hash)
      .Text(row.resource)
      .Bind(row.create_micros)
      .Run();
}

absl::Status SqliteTransaction::DeleteRequestsBefore(int64_t create_micros) {
  return db_.Prepare("DELETE FROM requests WHERE created < ?", "delete old requests").Bind(create_micros).Run();
}

}  // namespace bitwright::server
