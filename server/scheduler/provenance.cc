#include "server/scheduler/provenance.h"

#include <algorithm>

#include "proto/base/status_macros.h"
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

}  // namespace

absl::StatusOr<v1::Provenance> MakeProvenance(const Owner& owner) {
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
  for (const LiveTask& task : owner.tasks) {
    v1::ProvenanceEntry* entry = provenance.add_tasks();
    entry->set_task_digest(task.row.digest);
    entry->set_kind(task.node.spec.kind());
    entry->set_label(task.node.key);
    ABSL_ASSIGN_OR_RETURN(const v1::TaskSpec concrete, Concretize(owner, task, "", ""));
    for (const v1::TaskInput& input : concrete.inputs()) entry->add_inputs(Text(input.digest()));
    for (const v1::TaskOutput& output : task.result.outputs()) entry->add_outputs(Text(output.digest()));
  }
  return provenance;
}

}  // namespace bitwright::server
