#include <algorithm>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/quantize/packed_unit.h"
#include "workers/targets/artifact.h"
#include "workers/tasks/candidate_check.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/manifest_writer.h"
#include "workers/tasks/target_model.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {

absl::Status RunAssemble(const v1::AssembleParams& params, TaskIo& io) {
  v1::ModelInfo info;
  v1::Allocation allocation;
  v1::Selection selection;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kInfo, info));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kAllocation, allocation));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kSelection, selection));
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  ABSL_RETURN_IF_ERROR(CheckCandidate(allocation, params.candidate(), info, *target));
  const auto measured = std::find_if(selection.candidates().begin(), selection.candidates().end(),
                                     [&](const v1::Candidate& c) { return c.plan() == params.candidate(); });
  if (measured == selection.candidates().end()) {
    return TaskInputDamagedError(TaskFile::kSelection, "has no candidate " + std::to_string(params.candidate()));
  }
  const v1::Plan& plan = allocation.candidates(params.candidate());
  const ModelFiles files = io.Files();
  ABSL_ASSIGN_OR_RETURN(const v1::TargetInfo* stored, TargetInfoOf(info, *target));
  ABSL_ASSIGN_OR_RETURN(const TargetModel model, ReadTargetModel(files, info, params.card().model()));
  ABSL_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Open(files));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> paths, io.InputPaths(NumberedPrefix(TaskFile::kWeights)));
  ABSL_ASSIGN_OR_RETURN(const PackedUnits packed, PackedUnits::Open(paths));

  ManifestWriter artifact(io);
  const std::string file(target->weights_file()), weights = artifact.NewFile(file);
  ABSL_RETURN_IF_ERROR(
      target->WriteWeights(weights, model, plan, {checkpoint, packed}, [&](double share) { io.Progress(share); }));
  ABSL_RETURN_IF_ERROR(artifact.Note(file));
  ABSL_ASSIGN_OR_RETURN(const auto written,
                        WrittenFiles(*target, model, *stored, plan, {*measured, selection, params.card()}));
  for (const auto& [path, text] : written) ABSL_RETURN_IF_ERROR(artifact.Add(path, text));
  for (const std::string& path : info.carried_files()) {
    if (!target->Carries(path)) continue;
    ABSL_ASSIGN_OR_RETURN(const auto carried, io.Input(ModelFileName(path)));
    ABSL_RETURN_IF_ERROR(artifact.Add(path, carried->text()));
  }
  ABSL_RETURN_IF_ERROR(artifact.Add(kSumsFile, Sha256Sums(artifact.Sums())));
  return artifact.Finish();
}

}  // namespace bitwright::worker
