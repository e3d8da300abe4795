#include <functional>
#include <limits>
#include <set>

#include "absl/synchronization/mutex.h"
#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_transaction.h"

namespace bitwright::server {
namespace {

#define MODEL_COLUMNS "sequence, name, unfinished, body, info, content, tenant"
#define JOB_COLUMNS \
  "sequence, name, model, state, unfinished, body, recipe, pinned_class, pinned_code, priority, tenant"

ModelRow ReadModel(const Statement& row) {
  return {.name = row.Str(1),
          .order = row.Int(0),
          .unfinished = row.Int(2) != 0,
          .body = row.Str(3),
          .info = row.Str(4),
          .content = row.Str(5),
          .tenant = row.Str(6)};
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
          .pinned_code = row.Str(8),
          .priority = static_cast<int>(row.Int(9)),
          .tenant = row.Str(10)};
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

// One step of an index for each tenant: `next` finds the first after the given one.
absl::StatusOr<std::vector<std::string>> EachTenant(
    const std::function<absl::StatusOr<std::optional<std::string>>(const std::string& last)>& next) {
  std::vector<std::string> tenants;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(std::optional<std::string> tenant, next(tenants.empty() ? std::string() : tenants.back()));
    if (!tenant) return tenants;
    tenants.push_back(*std::move(tenant));
  }
}

// Greater than every text that begins with the prefix: no character is beyond U+10FFFF.
std::string EndOfPrefix(const std::string& prefix) { return prefix + "\xf4\x8f\xbf\xbf"; }

// The text of a list query. Few shapes are asked for, and each is kept: statements are found by its address. A '+'
// keeps SQLite from walking rows in order where the index of names finds them.
const char* ListSql(const char* columns_and_table, const RowQuery& query) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto& texts = *new std::set<std::string>;
  const bool named = !query.name_prefix.empty();
  const std::string order = named ? "+sequence" : "sequence";
  std::string text = std::string("SELECT ") + columns_and_table + " WHERE tenant = ? AND ";
  if (named) text += "name >= ? AND name < ? AND ";
  if (query.state != 0) text += named ? "+state = ? AND " : "state = ? AND ";
  text += query.oldest_first ? order + " > ? ORDER BY " + order : order + " < ? ORDER BY " + order + " DESC";
  absl::MutexLock lock(&mutex);
  return texts.insert(text + " LIMIT ?").first->c_str();
}

// Binds what ListSql asks for. `end` is EndOfPrefix, and lives as long as the statement is used.
void BindQuery(const RowQuery& query, const std::string& end, Statement& read) {
  using Limits = std::numeric_limits<int64_t>;
  read.Text(query.tenant);
  if (!query.name_prefix.empty()) read.Text(query.name_prefix).Text(end);
  if (query.state != 0) read.Bind(int64_t{query.state});
  read.Bind(query.beyond.value_or(query.oldest_first ? Limits::min() : Limits::max())).Bind(int64_t{query.limit});
}

}  // namespace

absl::StatusOr<std::optional<ModelRow>> SqliteTransaction::GetModel(std::string_view name) {
  Statement read = db_.Prepare("SELECT " MODEL_COLUMNS " FROM models WHERE name = ?", "read a model");
  return First(read.Text(name), ReadModel);
}

absl::StatusOr<bool> SqliteTransaction::HasModel(std::string_view name) {
  return db_.Prepare("SELECT 1 FROM models WHERE name = ?", "look for a model").Text(name).Step();
}

absl::StatusOr<std::vector<ModelRow>> SqliteTransaction::ListModels(const RowQuery& query) {
  const std::string end = EndOfPrefix(query.name_prefix);
  Statement read = db_.Prepare(ListSql(MODEL_COLUMNS " FROM models", query), "list models");
  BindQuery(query, end, read);
  return Collect(read, ReadModel);
}

absl::StatusOr<std::vector<ModelRow>> SqliteTransaction::ModelsOfContent(std::string_view tenant,
                                                                         std::string_view content, int limit) {
  Statement read = db_.Prepare("SELECT " MODEL_COLUMNS
                               " FROM models WHERE tenant = ? AND content = ? ORDER BY sequence DESC LIMIT ?",
                               "find models by content");
  return Collect(read.Text(tenant).Text(content).Bind(int64_t{limit}), ReadModel);
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::UnfinishedModels(std::string_view tenant, int limit) {
  Statement read = db_.Prepare(
      "SELECT name FROM models INDEXED BY models_inspecting WHERE unfinished = 1 AND tenant = ? ORDER BY sequence "
      "LIMIT ?",
      "list unfinished models");
  return Collect(read.Text(tenant).Bind(int64_t{limit}), ReadText);
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::TenantsInspecting() {
  return EachTenant([this](const std::string& last) {
    return First(db_.Prepare("SELECT tenant FROM models INDEXED BY models_inspecting WHERE unfinished = 1 AND "
                             "tenant > ? ORDER BY tenant LIMIT 1",
                             "find a tenant that inspects")
                     .Text(last),
                 ReadText);
  });
}

absl::StatusOr<std::optional<JobRow>> SqliteTransaction::GetJob(std::string_view name) {
  Statement read = db_.Prepare("SELECT " JOB_COLUMNS " FROM jobs WHERE name = ?", "read a job");
  return First(read.Text(name), ReadJob);
}

absl::StatusOr<std::vector<JobRow>> SqliteTransaction::ListJobs(const RowQuery& query) {
  const std::string end = EndOfPrefix(query.name_prefix);
  Statement read = db_.Prepare(ListSql(JOB_COLUMNS " FROM jobs", query), "list jobs");
  BindQuery(query, end, read);
  return Collect(read, ReadJob);
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::UnfinishedJobs(int state, int limit) {
  Statement read = db_.Prepare(
      "SELECT name FROM jobs INDEXED BY jobs_queue WHERE unfinished = 1 AND state = ? ORDER BY sequence LIMIT ?",
      "list unfinished jobs");
  return Collect(read.Bind(int64_t{state}).Bind(int64_t{limit}), ReadText);
}

absl::StatusOr<std::vector<QueuedJob>> SqliteTransaction::Queue(int state, std::string_view tenant, int limit) {
  Statement read = db_.Prepare(
      "SELECT name, priority FROM jobs INDEXED BY jobs_queue WHERE unfinished = 1 AND state = ? AND tenant = ? "
      "ORDER BY priority DESC, sequence LIMIT ?",
      "read the queue");
  return Collect(read.Bind(int64_t{state}).Text(tenant).Bind(int64_t{limit}), [](const Statement& row) {
    return QueuedJob{.name = row.Str(0), .priority = static_cast<int>(row.Int(1))};
  });
}

absl::StatusOr<std::vector<std::string>> SqliteTransaction::TenantsWith(int state) {
  return EachTenant([this, state](const std::string& last) {
    return First(db_.Prepare("SELECT tenant FROM jobs INDEXED BY jobs_queue WHERE unfinished = 1 AND state = ? AND "
                             "tenant > ? ORDER BY tenant LIMIT 1",
                             "find a tenant of the queue")
                     .Bind(int64_t{state})
                     .Text(last),
                 ReadText);
  });
}

absl::StatusOr<std::vector<JobRow>> SqliteTransaction::JobsWithoutPriority(int limit) {
  Statement read = db_.Prepare("SELECT " JOB_COLUMNS " FROM jobs WHERE unfinished = 1 AND +priority = ? LIMIT ?",
                               "find jobs without a priority");
  return Collect(read.Bind(int64_t{kUnknownPriority}).Bind(int64_t{limit}), ReadJob);
}

absl::StatusOr<std::optional<std::string>> SqliteTransaction::JobUsing(std::string_view model) {
  Statement read =
      db_.Prepare("SELECT name FROM jobs WHERE unfinished = 1 AND model = ? LIMIT 1", "find a job of a model");
  return First(read.Text(model), ReadText);
}

absl::StatusOr<std::vector<std::pair<int, int64_t>>> SqliteTransaction::CountJobs() {
  Statement read = db_.Prepare("SELECT state, sum(jobs) FROM job_counts GROUP BY state", "count jobs");
  return Collect(read, [](const Statement& row) { return std::pair(static_cast<int>(row.Int(0)), row.Int(1)); });
}

absl::StatusOr<std::optional<RequestRow>> SqliteTransaction::GetRequest(std::string_view tenant, std::string_view id) {
  Statement read = db_.Prepare(
      "SELECT tenant, id, body_hash, resource, created FROM requests WHERE tenant = ? AND id = ?", "read a request");
  return First(read.Text(tenant).Text(id), [](const Statement& row) {
    return RequestRow{row.Str(0), row.Str(1), row.Str(2), row.Str(3), row.Int(4)};
  });
}

absl::Status SqliteTransaction::PutModel(const ModelRow& row) {
  return db_
      .Prepare(
          "INSERT INTO models(name, unfinished, body, info, content, tenant) VALUES (?, ?, ?, ?, ?, ?) "
          "ON CONFLICT(name) DO UPDATE SET unfinished = excluded.unfinished, body = excluded.body, "
          "info = excluded.info, content = excluded.content",
          "write a model")
      .Text(row.name)
      .Bind(int64_t{row.unfinished})
      .Blob(row.body)
      .Text(row.info)
      .Text(row.content)
      .Text(row.tenant)
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
          "INSERT INTO jobs(name, model, state, unfinished, body, recipe, pinned_class, pinned_code, priority, tenant) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET state = excluded.state, "
          "unfinished = excluded.unfinished, body = excluded.body, recipe = excluded.recipe, "
          "pinned_class = excluded.pinned_class, pinned_code = excluded.pinned_code, "
          "priority = excluded.priority",
          "write a job")
      .Text(row.name)
      .Text(row.model)
      .Bind(int64_t{row.state})
      .Bind(int64_t{row.unfinished})
      .Blob(row.body)
      .Blob(row.recipe)
      .Text(row.pinned_class)
      .Text(row.pinned_code)
      .Bind(int64_t{row.priority})
      .Text(row.tenant)
      .Run();
}

absl::Status SqliteTransaction::DeleteJob(std::string_view name) {
  ABSL_RETURN_IF_ERROR(DeleteTasksOf(name));
  ABSL_RETURN_IF_ERROR(ClearReferences(name));
  return db_.Prepare("DELETE FROM jobs WHERE name = ?", "delete a job").Text(name).Run();
}

absl::Status SqliteTransaction::PutRequest(const RequestRow& row) {
  return db_.Prepare("INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?, ?)", "write a request")
      .Text(row.tenant)
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
