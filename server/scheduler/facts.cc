#include "server/scheduler/facts.h"

#include <memory>
#include <utility>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/task_names.h"
#include "server/jobs/texts.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

template <typename Message>
absl::Status Fill(const OutputToRead& output, const std::string& bytes, std::optional<Message>& fact) {
  Message message;
  if (!message.ParseFromString(bytes)) return OutputInvalidError(output.key, ReadOutput(output.kind));
  fact = std::move(message);
  return absl::OkStatus();
}

bool IsOfImported(std::string_view key) { return key == TaskKey(TaskKind::kInspect, TaskUse::kImported); }

// True: it is known what a goal's task says.
bool KnowsOfGoal(const GoalFacts& facts, const LiveTask& task) {
  const std::string& kind = task.node.spec.kind();
  if (kind == TaskKind::kAllocate) return facts.allocation != nullptr;
  if (kind == TaskKind::kProbe) {
    // Rounds come one after the other.
    for (int round = 0; round < static_cast<int>(facts.probes.size()); ++round) {
      if (WithoutGoal(task.node.key) == TaskKey(TaskKind::kProbe, round)) return true;
    }
    return false;
  }
  if (kind == TaskKind::kChoose) return facts.choice.has_value();
  if (kind == TaskKind::kSelect) return facts.selection.has_value();
  return kind != TaskKind::kAssemble || facts.artifact.has_value();
}

// True: the owner knows what the task says.
bool Knows(const Owner& owner, const LiveTask& task) {
  const std::string& kind = task.node.spec.kind();
  if (const ModelWork* model = owner.model()) {
    if (kind == TaskKind::kImport) return model->facts.rewritten.has_value();
    return IsOfImported(task.node.key) ? model->facts.imported.has_value() : model->facts.given.has_value();
  }
  const JobWork& job = *owner.job();
  const std::string calibration = TaskKey(TaskKind::kTokenize, TaskUse::kCalibration);
  if (kind == TaskKind::kTokenize) {
    if (task.node.key == calibration) return job.facts.calibration.has_value();
    const size_t text = static_cast<size_t>(EvaluationTextOf(task.node.key).value_or(0));
    return text < job.facts.evaluation.size() && job.facts.evaluation[text].has_value();
  }
  if (kind == TaskKind::kQuestions) {
    const size_t file = static_cast<size_t>(QuestionsOf(task.node.key).value_or(0));
    return file < job.facts.questions.size() && job.facts.questions[file].has_value();
  }
  return KnowsOfGoal(job.facts.goal(GoalOfTaskKey(task.node.key)), task);
}

// What a goal's task says.
absl::Status LearnOfGoal(const OutputToRead& output, const std::string& bytes, GoalFacts& facts) {
  if (output.kind == TaskKind::kAllocate) {
    std::optional<v1::Allocation> allocation;
    ABSL_RETURN_IF_ERROR(Fill(output, bytes, allocation));
    facts.allocation = std::make_shared<v1::Allocation>(*std::move(allocation));
    return absl::OkStatus();
  }
  if (output.kind == TaskKind::kProbe) {
    std::optional<v1::Probe> probe;
    ABSL_RETURN_IF_ERROR(Fill(output, bytes, probe));
    facts.probes.push_back(*std::move(probe));
    return absl::OkStatus();
  }
  if (output.kind == TaskKind::kChoose) return Fill(output, bytes, facts.choice);
  if (output.kind == TaskKind::kSelect) return Fill(output, bytes, facts.selection);
  if (output.kind == TaskKind::kAssemble) return Fill(output, bytes, facts.artifact);
  std::optional<v1::Report> report;
  return Fill(output, bytes, report);
}

}  // namespace

std::string_view ReadOutput(std::string_view kind) {
  if (kind == TaskKind::kInspect) return TaskFile::kInfo;
  if (kind == TaskKind::kImport) return TaskFile::kManifest;
  if (kind == TaskKind::kTokenize || kind == TaskKind::kQuestions) return TaskFile::kSummary;
  if (kind == TaskKind::kAllocate) return TaskFile::kAllocation;
  if (kind == TaskKind::kChoose) return TaskFile::kChoice;
  if (kind == TaskKind::kProbe) return TaskFile::kProbe;
  if (kind == TaskKind::kSelect) return TaskFile::kSelection;
  if (kind == TaskKind::kAssemble) return TaskFile::kManifest;
  if (kind == TaskKind::kReport) return TaskFile::kReport;
  return {};
}

std::optional<OutputToRead> ToRead(const LiveTask& task, const v1::TaskResult& result) {
  const std::string& kind = task.node.spec.kind();
  const std::string_view wanted = ReadOutput(kind);
  if (wanted.empty()) return std::nullopt;
  // Without a digest reading it fails, and says so.
  OutputToRead output{.task = task.row.name, .key = task.node.key, .kind = kind, .digest = {}};
  for (const v1::TaskOutput& one : result.outputs()) {
    if (one.name() == wanted) output.digest = one.digest();
  }
  return output;
}

std::vector<OutputToRead> Unread(const Owner& owner) {
  std::vector<OutputToRead> unread;
  for (const LiveTask* task : owner.read_tasks) {
    if (task->row.state != TaskState::kDone || Knows(owner, *task)) continue;
    unread.push_back(*ToRead(*task, task->result));
  }
  return unread;
}

absl::Status Learn(HeldBlobs& blobs, const OutputToRead& output, Learned& learned) {
  if (output.digest.sha256().empty()) return OutputMissingError(output.key, ReadOutput(output.kind));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(output.digest));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs.ReadWhole(digest));
  if (output.kind == TaskKind::kInspect) {
    return Fill(output, bytes, IsOfImported(output.key) ? learned.model.imported : learned.model.given);
  }
  if (output.kind == TaskKind::kImport) return Fill(output, bytes, learned.model.rewritten);
  if (output.kind == TaskKind::kTokenize) {
    const std::optional<int> text = EvaluationTextOf(output.key);
    if (!text) return Fill(output, bytes, learned.facts.calibration);
    std::optional<v1::TokenizeSummary> summary;
    ABSL_RETURN_IF_ERROR(Fill(output, bytes, summary));
    LearnEvaluation(*text, *std::move(summary), learned.facts);
    return absl::OkStatus();
  }
  if (output.kind == TaskKind::kQuestions) {
    std::optional<v1::QuestionsSummary> summary;
    ABSL_RETURN_IF_ERROR(Fill(output, bytes, summary));
    LearnQuestions(QuestionsOf(output.key).value_or(0), *std::move(summary), learned.facts);
    return absl::OkStatus();
  }
  return LearnOfGoal(output, bytes, learned.facts.goal(GoalOfTaskKey(output.key)));
}

std::optional<BlobDigest> BlobOf(const absl::Status& error) {
  const auto detail = GetErrorDetail(error);
  if (!detail) return std::nullopt;
  const auto text = detail->metadata.find("digest");
  if (text == detail->metadata.end()) return std::nullopt;
  const auto digest = ParseDigest(text->second);
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

}  // namespace bitwright::server
