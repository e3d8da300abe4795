#include "server/scheduler/facts.h"

#include <optional>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/task_names.h"
#include "server/scheduler/provenance.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// Fills `fact` from the output of a finished task, unless it is known or the task is not there or not finished.
template <typename Message>
absl::Status Learn(HeldBlobs& blobs, const LiveTask* task, const char* output, std::optional<Message>& fact) {
  if (fact || task == nullptr || task->row.state != TaskState::kDone) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const v1::Digest proto, OutputOf(*task, output));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(proto));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs.ReadWhole(digest));
  Message message;
  if (!message.ParseFromString(bytes)) return OutputInvalidError(task->node.key, output);
  fact = std::move(message);
  return absl::OkStatus();
}

int Known(const Facts& facts) {
  return int{facts.calibration && facts.evaluation} + facts.allocation.has_value() + facts.selection.has_value() +
         facts.provenance.has_value();
}

}  // namespace

absl::StatusOr<bool> ReadFacts(HeldBlobs& blobs, Owner& owner) {
  Facts& facts = owner.job()->facts;
  const int before = Known(facts);
  const auto tokenize = [&](const char* use) { return owner.Find(TaskKey(TaskKind::kTokenize, use)); };
  ABSL_RETURN_IF_ERROR(Learn(blobs, tokenize(TaskUse::kCalibration), TaskFile::kSummary, facts.calibration));
  ABSL_RETURN_IF_ERROR(Learn(blobs, tokenize(TaskUse::kEvaluation), TaskFile::kSummary, facts.evaluation));
  ABSL_RETURN_IF_ERROR(Learn(blobs, owner.OfKind(TaskKind::kAllocate), TaskFile::kAllocation, facts.allocation));
  ABSL_RETURN_IF_ERROR(Learn(blobs, owner.OfKind(TaskKind::kSelect), TaskFile::kSelection, facts.selection));
  if (!facts.provenance && owner.OfKind(TaskKind::kAssemble) != nullptr && owner.AllDone()) {
    ABSL_ASSIGN_OR_RETURN(facts.provenance, MakeProvenance(owner));
  }
  return Known(facts) != before;
}

}  // namespace bitwright::server
