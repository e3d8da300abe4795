#include "server/scheduler/provenance.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "server/jobs/manifest_hash.h"

namespace bitwright::server {
namespace {

std::string Text(const v1::Digest& digest) { return digest.sha256() + "/" + std::to_string(digest.size_bytes()); }

int64_t Tokens(const std::optional<v1::TokenizeSummary>& summary) {
  return summary ? int64_t{summary->windows()} * summary->window() : 0;
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
  provenance.set_calibration_data(Text(spec.calibration().blob()));
  provenance.set_evaluation_data(Text(spec.evaluation().blob()));
  provenance.set_calibration_tokens(Tokens(job.facts.calibration));
  provenance.set_evaluation_tokens(Tokens(job.facts.evaluation));
  provenance.set_window(spec.evaluation().window());
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
