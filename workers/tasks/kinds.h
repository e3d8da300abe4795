#pragma once

#include "absl/status/status.h"
#include "workers/tasks/task_io.h"

// One function per task kind, RunKIND in KIND.cc: the one header here that leads to many sources. Each kind's params in
// tasks.proto say what it reads and writes.
// A function writes all its outputs through io, or returns the first error.
namespace bitwright::worker {

absl::Status RunInspect(const v1::InspectParams& params, TaskIo& io);
absl::Status RunImport(const v1::ImportParams& params, TaskIo& io);
absl::Status RunTokenize(const v1::TokenizeParams& params, TaskIo& io);
absl::Status RunReference(const v1::ReferenceParams& params, TaskIo& io);
absl::Status RunCalibrate(const v1::CalibrateParams& params, TaskIo& io);
absl::Status RunMerge(const v1::MergeParams& params, TaskIo& io);
absl::Status RunCurvature(const v1::CurvatureParams& params, TaskIo& io);
absl::Status RunProfile(const v1::ProfileParams& params, TaskIo& io);
absl::Status RunCheck(const v1::CheckParams& params, TaskIo& io);
absl::Status RunAllocate(const v1::AllocateParams& params, TaskIo& io);
absl::Status RunQuantize(const v1::QuantizeParams& params, TaskIo& io);
absl::Status RunEvaluate(const v1::EvaluateParams& params, TaskIo& io);
absl::Status RunChoose(const v1::ChooseParams& params, TaskIo& io);
absl::Status RunProbe(const v1::ProbeParams& params, TaskIo& io);
absl::Status RunQuestions(const v1::QuestionsParams& params, TaskIo& io);
absl::Status RunScore(const v1::ScoreParams& params, TaskIo& io);
absl::Status RunGrade(const v1::GradeParams& params, TaskIo& io);
absl::Status RunSample(const v1::SampleParams& params, TaskIo& io);
absl::Status RunSelect(const v1::SelectParams& params, TaskIo& io);
absl::Status RunAssemble(const v1::AssembleParams& params, TaskIo& io);
absl::Status RunReport(const v1::ReportParams& params, TaskIo& io);

}  // namespace bitwright::worker
