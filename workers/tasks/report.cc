#include <algorithm>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/budget_kind.h"
#include "proto/contract/task_names.h"
#include "workers/targets/artifact.h"
#include "workers/targets/consumers.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/target.h"
#include "workers/tasks/candidate_check.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/task_errors.h"
#include "workers/tasks/verdict.h"

namespace bitwright::worker {
namespace {

void FillAllocation(const v1::Allocation& from, v1::Report::AllocationSummary& to) {
  to.set_bound(from.bound());
  to.set_gap(from.gap());
  to.set_proved_optimal(from.proved_optimal());
  to.set_lambda(from.lambda());
  to.set_weight_budget_bytes(from.weight_budget_bytes());
  *to.mutable_checks() = from.checks();
}

absl::Status FillUnits(const v1::Plan& plan, const v1::Sensitivity& prices, v1::Report& report) {
  const auto same_name = [](const v1::UnitPlan& a, const v1::Sensitivity::Unit& b) { return a.unit() == b.name(); };
  if (!std::ranges::equal(plan.units(), prices.units(), same_name)) {
    return TaskInputDamagedError(TaskFile::kPrices, "does not have the units of the plan, in their order");
  }
  for (int u = 0; u < plan.units_size(); ++u) {
    const v1::UnitPlan& from = plan.units(u);
    v1::Report::Unit& to = *report.add_units();
    to.set_name(from.unit());
    ABSL_ASSIGN_OR_RETURN(const UnitFormats formats, UnitFormatsOf(from.format()));
    to.set_format(formats.Name());
    for (const Format& format : formats.all()) to.set_bits(std::max(to.bits(), WidthOf(format)));
    to.set_bytes(from.bytes());
    to.set_sensitivity(from.predicted_loss());
    for (const v1::FormatOption& priced : prices.units(u).options()) {
      v1::Report::Unit::Option& option = *to.add_options();
      ABSL_ASSIGN_OR_RETURN(const Format other, FormatOf(priced.format()));
      option.set_format(FormatName(other));
      option.set_bytes(priced.bytes());
      option.set_loss(priced.loss());
      option.set_measured(priced.measured());
    }
  }
  return absl::OkStatus();
}

// How the unquantized model and the selected plan answer the files of questions.
absl::Status FillChoices(const v1::JobSpec& spec, const TaskIo& io, v1::Report& report) {
  for (int f = 0; f < spec.choices_size(); ++f) {
    v1::ChoiceGrade base, quantized;
    ABSL_RETURN_IF_ERROR(io.ReadProto(Numbered(TaskFile::kGrade, f, 0), base));
    ABSL_RETURN_IF_ERROR(io.ReadProto(Numbered(TaskFile::kGrade, f, 1), quantized));
    const auto same_name = [](const v1::ChoiceMetric& a, const v1::ChoiceMetric& b) { return a.name() == b.name(); };
    if (base.questions() < 1 || base.questions() != quantized.questions() || base.task() != quantized.task() ||
        base.metrics().empty() || !std::ranges::equal(base.metrics(), quantized.metrics(), same_name)) {
      return TaskInputDamagedError(TaskFile::kGrade, "does not grade the same questions before and after");
    }
    v1::ChoiceResult& result = *report.add_choices();
    result.set_name(spec.choices(f).display_name());
    result.set_task(base.task());
    result.set_questions(base.questions());
    *result.mutable_base() = base.metrics();
    *result.mutable_quantized() = quantized.metrics();
  }
  return absl::OkStatus();
}

// What both write after the prompt, and where they part.
absl::Status FillSample(const TaskIo& io, v1::GreedySample& sample) {
  v1::Continuation base, quantized;
  ABSL_RETURN_IF_ERROR(io.ReadProto(Numbered(TaskFile::kSample, 0), base));
  ABSL_RETURN_IF_ERROR(io.ReadProto(Numbered(TaskFile::kSample, 1), quantized));
  if (base.prompt().empty() || base.ids().empty() || base.ids_size() != quantized.ids_size()) {
    return TaskInputDamagedError(TaskFile::kSample, "is not as long before as after");
  }
  sample.set_prompt(base.prompt_text());
  sample.set_base(base.text());
  sample.set_quantized(quantized.text());
  *sample.mutable_prompt_ids() = base.prompt();
  *sample.mutable_base_ids() = base.ids();
  *sample.mutable_quantized_ids() = quantized.ids();
  const auto parting =
      std::mismatch(base.ids().begin(), base.ids().end(), quantized.ids().begin(), quantized.ids().end());
  const bool same = parting.first == base.ids().end() && parting.second == quantized.ids().end();
  sample.set_first_divergence(same ? -1 : static_cast<int32_t>(parting.first - base.ids().begin()));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunReport(const v1::ReportParams& params, TaskIo& io) {
  v1::ModelInfo info;
  v1::Allocation allocation;
  v1::Sensitivity prices;
  v1::Selection selection;
  v1::Report report;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kInfo, info));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kAllocation, allocation));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kPrices, prices));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kSelection, selection));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kManifest, *report.mutable_artifact()));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kProvenance, *report.mutable_provenance()));
  if (report.provenance().tasks().empty()) return TaskInputDamagedError(TaskFile::kProvenance, "names no task");
  if (selection.selected() < 0 || selection.selected() >= selection.candidates_size()) {
    return TaskInputDamagedError(TaskFile::kSelection, "has no candidate " + std::to_string(selection.selected()));
  }
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.spec().target()));
  const v1::Candidate& selected = selection.candidates(selection.selected());
  ABSL_RETURN_IF_ERROR(CheckCandidate(allocation, selected.plan(), info, *target));
  if (selection.best_uniform() >= selection.candidates_size()) {
    return TaskInputDamagedError(TaskFile::kSelection, "has no candidate " + std::to_string(selection.best_uniform()));
  }
  if (report.artifact().files().empty()) return TaskInputDamagedError(TaskFile::kManifest, "names no file");
  report.set_schema_version(1);
  report.set_model(params.model_display_name());
  report.set_recipe(params.recipe().name());
  report.set_target(params.spec().target());
  *report.mutable_budget() = params.spec().budget();
  report.set_selected(selected.name());
  *report.mutable_reference() = selection.reference();
  report.set_scored_tokens(selection.scored_tokens());
  *report.mutable_candidates() = selection.candidates();
  *report.mutable_texts() = selection.texts();
  if (selection.has_choice()) *report.mutable_choice() = selection.choice();
  FillAllocation(allocation, *report.mutable_allocation());
  if (IsBound(params.spec().budget())) report.mutable_allocation()->set_bound(selected.predicted_loss());
  *report.mutable_front() = allocation.front();
  ABSL_RETURN_IF_ERROR(FillUnits(allocation.candidates(selected.plan()), prices, report));
  ABSL_ASSIGN_OR_RETURN(const v1::TargetInfo* stored, TargetInfoOf(info, *target));
  for (v1::ConsumerVerdict& verdict : VerdictsOn(allocation.candidates(selected.plan()), *stored)) {
    *report.add_consumers() = std::move(verdict);
  }
  report.set_model_bytes(info.model_bytes());
  for (const v1::FileEntry& file : report.artifact().files()) {
    report.set_artifact_bytes(report.artifact_bytes() + file.digest().size_bytes());
  }
  report.set_calibration_compute(params.recipe().calibration().compute());
  report.set_evaluation_compute(params.recipe().evaluation().compute());
  *report.mutable_recipe_used() = params.recipe();
  *report.mutable_notices() = info.notices();
  for (const v1::Notice& notice : allocation.notices()) *report.add_notices() = notice;
  for (const v1::Notice& notice : params.notices()) *report.add_notices() = notice;
  report.set_job_display_name(params.job_display_name());
  for (const v1::Data& data : params.spec().calibration()) report.add_calibration_names(data.display_name());
  for (const v1::Data& data : params.spec().evaluation()) report.add_evaluation_names(data.display_name());
  ABSL_RETURN_IF_ERROR(FillChoices(params.spec(), io, report));
  if (params.spec().has_sample()) ABSL_RETURN_IF_ERROR(FillSample(io, *report.mutable_sample()));
  report.set_verdict(Verdict(report, selection));
  return io.WriteProto(TaskFile::kReport, report);
}

}  // namespace bitwright::worker
