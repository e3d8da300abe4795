#include "server/web/model_pages.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/contract/devices.h"
#include "proto/contract/names.h"
#include "proto/report/job_progress.h"
#include "proto/report/number_text.h"
#include "server/web/estimate_view.h"
#include "server/web/job_view.h"
#include "server/web/page_text.h"
#include "server/web/text_choices.h"

namespace bitwright::server {
namespace {

constexpr int kPage = 50;
constexpr char kDefaultRecipe[] = "mixed-gptq";

View ModelRow(const v1::Model& model) {
  const v1::ModelInfo& info = model.info();
  return View()
      .Text("id", IdOf(model.name()))
      .Text("name", DisplayName(model.name(), model.display_name()))
      .Text("state", absl::AsciiStrToLower(v1::Model::State_Name(model.state())))
      .If("ready", model.state() == v1::Model::READY)
      .Text("architecture", info.architecture())
      .Text("family", info.family())
      .Text("parameters", model.has_info() ? WithThousands(info.parameters()) : "")
      .Text("bytes", model.has_info() ? BytesText(info.model_bytes()) : "")
      .Text("created", TimeText(model.create_time()))
      .Optional("error", model.state() == v1::Model::REJECTED ? ErrorText(model.error()) : "")
      .Optional("waiting", WaitingText(model.waiting()));
}

View::Items TargetRows(const v1::ModelInfo& info, const JobForm& form) {
  View::Items rows;
  for (const v1::TargetInfo& target : info.targets()) {
    rows.push_back(View()
                       .Text("name", target.target())
                       .If("chosen", form.Has("target", target.target()))
                       .If("possible", !target.has_refusal())
                       .Optional("refusal", target.has_refusal() ? ErrorText(target.refusal()) : "")
                       .Text("weights", WithThousands(target.quantized_weights()))
                       .Text("units", absl::StrCat(target.units_size())));
  }
  return rows;
}

// The first target that stores the model, and the recipe that most take.
void SetDefaults(const v1::ModelInfo& info, JobForm& form) {
  for (const v1::TargetInfo& target : info.targets()) {
    if (!target.has_refusal()) form.Default("target", target.target());
  }
  form.Default("recipe", kDefaultRecipe);
}

// The range of budgets stands there although the one that was asked for is outside of it.
View EstimateOf(const Gateway& gateway, const JobForm& form) {
  v1::CreateJobRequest request;
  request.set_validate_only(true);
  absl::StatusOr<v1::JobSpec> spec = form.Spec();
  absl::Status error = spec.status();
  if (spec.ok()) {
    *request.mutable_spec() = *spec;
    const absl::StatusOr<v1::Job> planned = gateway.CreateJob(request);
    if (planned.ok()) return EstimateView(*planned).If("planned", true).If("has_error", false);
    error = planned.status();
  }
  request.mutable_spec()->Clear();
  request.mutable_spec()->set_model(form.model());
  request.mutable_spec()->set_recipe(ResourceName(Collection::kRecipes, form.Field("recipe")));
  request.mutable_spec()->set_target(form.Field("target"));
  const absl::StatusOr<v1::Job> range = gateway.CreateJob(request);
  View view = range.ok() ? EstimateView(*range) : View();
  return view.If("planned", range.ok()).Optional("error", std::string(error.message()));
}

// What the newest finished job of the model says of plans: a preview of what sizes cost.
absl::StatusOr<View> PreviewOf(const Gateway& gateway, const std::string& model) {
  v1::ListJobsRequest request;
  request.set_page_size(1);
  request.set_state(v1::Job::SUCCEEDED);
  request.set_filter("model = \"" + model + "\"");
  ABSL_ASSIGN_OR_RETURN(const v1::ListJobsResponse listed, gateway.ListJobs(request));
  if (listed.jobs().empty()) return View().If("has_front", false);
  const v1::Job& job = listed.jobs(0);
  ABSL_ASSIGN_OR_RETURN(const v1::Report report, gateway.GetReport(job.name(), 0));
  View view = ReportView(report);
  return view.Text("job", IdOf(job.name()))
      .Text("job_name", DisplayName(job.name(), job.spec().display_name()))
      .Text("target", report.target());
}

absl::StatusOr<std::vector<v1::Job>> RecentJobs(const Gateway& gateway) {
  v1::ListJobsRequest request;
  request.set_page_size(kPage);
  ABSL_ASSIGN_OR_RETURN(const v1::ListJobsResponse listed, gateway.ListJobs(request));
  return std::vector<v1::Job>(listed.jobs().begin(), listed.jobs().end());
}

absl::StatusOr<View::Items> RecipeChoices(const Gateway& gateway, const std::string& chosen) {
  ABSL_ASSIGN_OR_RETURN(const v1::ListRecipesResponse listed, gateway.ListRecipes());
  View::Items choices;
  for (const v1::Recipe& recipe : listed.recipes()) {
    const std::string id = IdOf(recipe.name());
    choices.push_back(View().Text("id", id).If("chosen", id == chosen));
  }
  return choices;
}

View::Items DeviceChoices(std::string_view chosen) {
  View::Items choices;
  for (const char* name : kJobDevices) {
    const std::string_view device = name;
    const bool is_default = chosen.empty() && device == kAnyDevice;
    choices.push_back(View().Text("device", name).If("chosen", device == chosen || is_default));
  }
  return choices;
}

std::string ModelName(const PageContext& context) { return ResourceName(Collection::kModels, context.arguments[0]); }

}  // namespace

absl::StatusOr<HttpResponse> ShowModelForm(const PageContext& context, JobForm form, const absl::Status& error) {
  const Gateway& gateway = context.gateway;
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, gateway.GetModel(form.model()));
  const v1::ModelInfo& info = model.info();
  View::Items notices;
  for (const v1::Notice& notice : info.notices()) notices.push_back(View().Text("message", notice.message()));
  View view = ModelRow(model);
  view.Text("blocks", absl::StrCat(info.blocks()))
      .Text("hidden", absl::StrCat(info.hidden_size()))
      .Text("vocabulary", WithThousands(info.vocab_size()))
      .Text("positions", WithThousands(info.max_positions()))
      .Text("dtype", info.dtype())
      .Text("files", absl::StrCat(model.manifest().files_size()))
      .If("has_notices", info.notices_size() > 0)
      .Each("notices", std::move(notices));
  if (model.state() == v1::Model::READY) {
    SetDefaults(info, form);
    ABSL_ASSIGN_OR_RETURN(View::Items recipes, RecipeChoices(gateway, form.Field("recipe")));
    ABSL_ASSIGN_OR_RETURN(const std::vector<v1::Job> jobs, RecentJobs(gateway));
    ABSL_ASSIGN_OR_RETURN(View preview, PreviewOf(gateway, model.name()));
    view.Each("targets", TargetRows(info, form))
        .Each("recipes", std::move(recipes))
        .Text("display_name", form.Field("display_name"))
        .Text("budget", form.Field("budget"))
        .Each("devices", DeviceChoices(form.Field("device")))
        .Text("priority", form.Field("priority"))
        .Each(kCalibration, TextChoices(jobs, kCalibration, form.Field(kCalibration)))
        .Each(kEvaluation, TextChoices(jobs, kEvaluation, form.Field(kEvaluation)))
        .Optional("form_error", std::string(error.message()))
        .Optional("form_reason", ErrorReason(error))
        .Text("request_id", RandomId(32))
        .Part("estimate", EstimateOf(gateway, form))
        .Part("preview", std::move(preview));
  }
  return MakePage(context, DisplayName(model.name(), model.display_name()), "model", view);
}

absl::StatusOr<HttpResponse> ShowModels(const PageContext& context) {
  v1::ListModelsRequest request;
  request.set_page_size(kPage);
  request.set_page_token(context.request.Query("page"));
  ABSL_ASSIGN_OR_RETURN(const v1::ListModelsResponse listed, context.gateway.ListModels(request));
  View::Items models;
  for (const v1::Model& model : listed.models()) models.push_back(ModelRow(model));
  const std::string& next = listed.next_page_token();
  return MakePage(context, "Models", "models",
                  View()
                      .If("any", listed.models_size() > 0)
                      .Each("models", std::move(models))
                      .Optional("next", next.empty() ? "" : "/models?page=" + UrlEncoded(next)));
}

absl::StatusOr<HttpResponse> ShowModel(const PageContext& context) {
  return ShowModelForm(context, JobForm(ModelName(context), context.request.query), absl::OkStatus());
}

absl::StatusOr<HttpResponse> ShowEstimate(const PageContext& context) {
  const JobForm form(ModelName(context), context.request.query);
  return HttpResponse{.content_type = "text/html; charset=utf-8",
                      .body = Render("_estimate", EstimateOf(context.gateway, form))};
}

}  // namespace bitwright::server
