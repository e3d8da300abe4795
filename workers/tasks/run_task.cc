#include "workers/tasks/run_task.h"

#include <new>

#include "proto/base/status_macros.h"
#include "workers/base/base_errors.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/spec_check.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

absl::Status Dispatch(const v1::TaskSpec& spec, TaskIo& io) {
  switch (spec.params_case()) {
    case v1::TaskSpec::kInspect:
      return RunInspect(spec.inspect(), io);
    case v1::TaskSpec::kImport:
      return RunImport(spec.import(), io);
    case v1::TaskSpec::kTokenize:
      return RunTokenize(spec.tokenize(), io);
    case v1::TaskSpec::kReference:
      return RunReference(spec.reference(), io);
    case v1::TaskSpec::kCalibrate:
      return RunCalibrate(spec.calibrate(), io);
    case v1::TaskSpec::kMerge:
      return RunMerge(spec.merge(), io);
    case v1::TaskSpec::kCurvature:
      return RunCurvature(spec.curvature(), io);
    case v1::TaskSpec::kProfile:
      return RunProfile(spec.profile(), io);
    case v1::TaskSpec::kCheck:
      return RunCheck(spec.check(), io);
    case v1::TaskSpec::kAllocate:
      return RunAllocate(spec.allocate(), io);
    case v1::TaskSpec::kQuantize:
      return RunQuantize(spec.quantize(), io);
    case v1::TaskSpec::kEvaluate:
      return RunEvaluate(spec.evaluate(), io);
    case v1::TaskSpec::kChoose:
      return RunChoose(spec.choose(), io);
    case v1::TaskSpec::kProbe:
      return RunProbe(spec.probe(), io);
    case v1::TaskSpec::kQuestions:
      return RunQuestions(spec.questions(), io);
    case v1::TaskSpec::kScore:
      return RunScore(spec.score(), io);
    case v1::TaskSpec::kGrade:
      return RunGrade(spec.grade(), io);
    case v1::TaskSpec::kSample:
      return RunSample(spec.sample(), io);
    case v1::TaskSpec::kSelect:
      return RunSelect(spec.select(), io);
    case v1::TaskSpec::kAssemble:
      return RunAssemble(spec.assemble(), io);
    case v1::TaskSpec::kReport:
      return RunReport(spec.report(), io);
    case v1::TaskSpec::PARAMS_NOT_SET:
      break;
  }
  return TaskKindUnknownError(spec.kind());
}

}  // namespace

absl::StatusOr<std::vector<TaskOutputFile>> RunTask(const v1::TaskSpec& spec, TaskContext& context) {
  ABSL_RETURN_IF_ERROR(CheckSpec(spec));
  for (const v1::TaskInput& input : spec.inputs()) {
    const bool in_pieces = input.pieces_size() > 0 && context.piece_path;
    if (context.input_path(input.name()).empty() && !in_pieces) return TaskInputMissingError(input.name());
  }
  TaskIo io(spec, context);
  try {
    ABSL_RETURN_IF_ERROR(Dispatch(spec, io));
  } catch (const std::bad_array_new_length&) {
    throw;
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError("task '" + spec.kind() + "'", context.memory_bytes);
  } catch (const DeviceError& error) {
    return DeviceFailedError("task '" + spec.kind() + "'", error.what());
  }
  return io.TakeOutputs();
}

}  // namespace bitwright::worker
