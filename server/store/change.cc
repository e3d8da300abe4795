#include "server/store/change.h"

#include "proto/base/status_macros.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

absl::Status Check(Transaction& tx, const ExpectedTask& expected) {
  ABSL_ASSIGN_OR_RETURN(const std::optional<TaskRow> row, tx.GetTask(expected.name));
  if (!row) {
    const bool new_one = expected.state == TaskState::kWaiting && expected.fencing_token == 0;
    return new_one ? absl::OkStatus() : ChangeRefusedError(expected.name, "is no longer there");
  }
  if (row->fencing_token != expected.fencing_token) {
    return ChangeRefusedError(expected.name, "has been leased since");
  }
  return row->state == expected.state ? absl::OkStatus() : ChangeRefusedError(expected.name, "has moved on");
}

absl::Status CheckHeld(Transaction& tx, const Change& change) {
  for (const BlobDigest& digest : change.held) {
    ABSL_ASSIGN_OR_RETURN(const bool held, tx.HasBlob(digest));
    if (!held) return BlobMissingError(digest, change.held_for);
  }
  return change.held.empty() ? absl::OkStatus() : tx.TouchBlobs(change.held, change.now_micros);
}

// A job or model that was deleted stays deleted.
absl::Status PutOwner(Transaction& tx, const Change& change) {
  if (change.model) {
    ABSL_ASSIGN_OR_RETURN(const bool there, tx.HasModel(change.model->name));
    if (!there) return ChangeRefusedError(change.model->name, "is no longer there");
    ABSL_RETURN_IF_ERROR(tx.PutModel(*change.model));
  }
  return change.job ? tx.PutJob(*change.job) : absl::OkStatus();
}

}  // namespace

absl::Status Apply(Transaction& tx, const Change& change) {
  for (const ExpectedTask& expected : change.expected) ABSL_RETURN_IF_ERROR(Check(tx, expected));
  ABSL_RETURN_IF_ERROR(CheckHeld(tx, change));
  ABSL_RETURN_IF_ERROR(PutOwner(tx, change));
  for (const TaskRow& row : change.tasks) ABSL_RETURN_IF_ERROR(tx.PutTask(row));
  if (!change.dropped_action.empty()) ABSL_RETURN_IF_ERROR(tx.DeleteAction("", change.dropped_action));
  if (!change.dropped_blob.empty()) ABSL_RETURN_IF_ERROR(tx.ForgetBlob(change.dropped_blob));
  if (change.action) {
    ABSL_RETURN_IF_ERROR(
        tx.PutAction(change.action->tenant, change.action->digest, change.action->result, change.action->outputs));
  }
  for (const std::string& owner : change.cleared_references) ABSL_RETURN_IF_ERROR(tx.ClearReferences(owner));
  for (const References& one : change.references) {
    ABSL_RETURN_IF_ERROR(tx.AddReferences(one.owner, one.tenant, one.digests));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
