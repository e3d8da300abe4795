#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/web/job_form.h"
#include "server/web/model_pages.h"
#include "server/web/pages.h"
#include "server/web/text_choices.h"

namespace bitwright::server {
namespace {

absl::StatusOr<v1::Job> Submit(const PageContext& context, const JobForm& form) {
  v1::CreateJobRequest request;
  request.set_request_id(form.Field("request_id"));
  ABSL_ASSIGN_OR_RETURN(*request.mutable_spec(), form.Spec());
  for (const char* use : {kCalibration, kEvaluation}) {
    ABSL_ASSIGN_OR_RETURN(v1::Data text, TextOf(context.gateway, context.form, use));
    auto& texts = use == kCalibration ? *request.mutable_spec()->mutable_calibration()
                                      : *request.mutable_spec()->mutable_evaluation();
    *texts.Add() = std::move(text);
  }
  return context.gateway.CreateJob(request);
}

}  // namespace

absl::StatusOr<HttpResponse> SubmitJob(const PageContext& context) {
  const JobForm form(ResourceName(Collection::kModels, context.form.Field("model")), context.form.fields);
  const absl::StatusOr<v1::Job> job = Submit(context, form);
  if (job.ok()) return GoTo("/" + job->name());
  if (!absl::IsInvalidArgument(job.status()) && !absl::IsFailedPrecondition(job.status())) return job.status();
  ABSL_ASSIGN_OR_RETURN(HttpResponse response, ShowModelForm(context, form, job.status()));
  response.status = 400;
  return response;
}

}  // namespace bitwright::server
