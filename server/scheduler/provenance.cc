#include "server/scheduler/provenance.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "server/jobs/expand_answers.h"
#include "server/jobs/manifest_hash.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

std::string Text(const v1::Digest& digest) { return digest.sha256() + "/" + std::to_string(digest.size_bytes()); }

// What the texts of a job are, and how many tokens of each are used.
void AddTexts(const v1::JobSpec& spec, const Facts& facts, v1::Provenance& provenance) {
  const v1::TokenizeSummary calibration = facts.calibration.value_or(v1::TokenizeSummary());
  for (int t = 0; t < spec.calibration_size(); ++t) {
    const int64_t windows = PartOf(calibration, t, spec.calibration_size()).windows();
    provenance.add_calibration_data(Text(spec.calibration(t).blob()));
    provenance.add_calibration_text_tokens(windows * spec.calibration(t).window());
  }
  provenance.set_calibration_tokens(int64_t{calibration.windows()} * calibration.window());
  const auto evaluation = EvaluationSummaries(spec, facts).value_or(std::vector<v1::TokenizeSummary>());
  for (int t = 0; t < spec.evaluation_size(); ++t) {
    const size_t place = static_cast<size_t>(t);
    const int64_t windows = place < evaluation.size() ? evaluation[place].windows() : 0;
    provenance.add_evaluation_data(Text(spec.evaluation(t).blob()));
    provenance.add_evaluation_text_tokens(windows * spec.evaluation(t).window());
    provenance.set_evaluation_tokens(provenance.evaluation_tokens() + windows * spec.evaluation(t).window());
  }
  for (const v1::ChoiceFile& file : spec.choices()) provenance.add_choices_data(Text(file.blob()));
}

// Which tasks a goal's report stands on, by position: those of its artifact and of its answers, and all that these
// were made from. Those of other goals alone are left out, so that the report is that of a job of this goal.
std::vector<bool> TasksBehind(const Owner& owner, int goal) {
  std::vector<bool> behind(owner.tasks.size());
  const auto mark = [&](const std::string& key) {
    const auto task = owner.by_key.find(key);
    if (task != owner.by_key.end()) behind[task->second] = true;
  };
  mark(GoalKey(TaskKind::kAssemble, goal));
  for (const std::string& key : AnswerKeys(owner.job()->resolved->spec, goal)) mark(key);
  // Links lead back, to tasks of before.
  for (size_t t = owner.tasks.size(); t-- > 0;) {
    if (!behind[t]) continue;
    for (const TaskNode::Link& link : owner.tasks[t].node.links) mark(link.from);
  }
  return behind;
}

absl::StatusOr<v1::Provenance> ProvenanceOf(const Owner& owner, int goal) {
  v1::Provenance provenance;
  const JobWork& job = *owner.job();
  v1::Manifest manifest = ComputedFiles(*job.resolved->model);
  std::sort(manifest.mutable_files()->begin(), manifest.mutable_files()->end(),
            [](const v1::FileEntry& a, const v1::FileEntry& b) { return a.path() < b.path(); });
  provenance.set_model(ManifestHash(manifest));
  *provenance.mutable_model_files() = manifest.files();
  const v1::JobSpec& spec = job.resolved->spec;
  AddTexts(spec, job.facts, provenance);
  provenance.set_window(job.resolved->evaluation_window());
  provenance.set_compute_class(job.row.pinned_class);
  provenance.set_code_version(job.row.pinned_code);
  const std::vector<bool> behind = TasksBehind(owner, goal);
  for (size_t t = 0; t < owner.tasks.size(); ++t) {
    if (!behind[t]) continue;
    const LiveTask& task = owner.tasks[t];
    v1::ProvenanceEntry* entry = provenance.add_tasks();
    entry->set_task_digest(task.row.digest);
    entry->set_kind(task.node.spec.kind());
    entry->set_label(std::string(WithoutGoal(task.node.key)));
    ABSL_ASSIGN_OR_RETURN(const v1::TaskSpec concrete, Concretize(owner, task, "", ""));
    for (const v1::TaskInput& input : concrete.inputs()) entry->add_inputs(Text(input.digest()));
    for (const v1::TaskOutput& output : task.result.outputs()) entry->add_outputs(Text(output.digest()));
  }
  return provenance;
}

}  // namespace

absl::StatusOr<std::vector<v1::Provenance>> MakeProvenance(const Owner& owner) {
  std::vector<v1::Provenance> all;
  for (int g = 0; g < static_cast<int>(owner.job()->resolved->goals.size()); ++g) {
    ABSL_ASSIGN_OR_RETURN(all.emplace_back(), ProvenanceOf(owner, g));
  }
  return all;
}

}  // namespace bitwright::server
