#include <google/protobuf/text_format.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/names.h"
#include "proto/contract/worker_capacity.h"
#include "proto/report/number_text.h"
#include "server/web/page_text.h"
#include "server/web/pages.h"

namespace bitwright::server {
namespace {

// A small task may run beside the others.
int BusyOf(const v1::Worker& worker) { return std::min(worker.tasks_size(), SlotsOf(worker.capacity())); }

View Use(int busy, int slots) { return View().Text("busy", absl::StrCat(busy)).Text("slots", absl::StrCat(slots)); }

// "cpu", or "cuda: NVIDIA H100 80GB HBM3, 79.2 GiB".
std::string DeviceText(const v1::WorkerCapacity& capacity) {
  std::string text = capacity.device();
  if (!capacity.device_name().empty()) absl::StrAppend(&text, ": ", capacity.device_name());
  if (capacity.device_memory_bytes() > 0) absl::StrAppend(&text, ", ", BytesText(capacity.device_memory_bytes()));
  return text;
}

View WorkerRow(const v1::Worker& worker, absl::Time now) {
  const v1::WorkerCapacity& capacity = worker.capacity();
  std::vector<std::string> tasks;
  for (const std::string& task : worker.tasks()) tasks.push_back(IdOf(task));
  View row = Use(BusyOf(worker), SlotsOf(worker.capacity()));
  return row.Text("id", IdOf(worker.name()))
      .Text("host", capacity.host())
      .Text("state", absl::AsciiStrToLower(v1::Worker::State_Name(worker.state())))
      .Text("compute_class", capacity.compute_class())
      .Text("device", DeviceText(capacity))
      .Text("cores", absl::StrCat(capacity.cores()))
      .Text("memory", BytesText(capacity.memory_bytes()))
      .Text("seen", SecondsText(std::max(0.0, absl::ToDoubleSeconds(now - FromProto(worker.last_seen())))))
      .Optional("tasks", absl::StrJoin(tasks, " "));
}

struct Load {
  int workers = 0;
  int busy = 0;
  int slots = 0;
};

View::Items ClassRows(const v1::ListWorkersResponse& listed) {
  std::map<std::string, Load> classes;
  for (const v1::Worker& worker : listed.workers()) {
    Load& load = classes[worker.capacity().compute_class()];
    ++load.workers;
    load.busy += BusyOf(worker);
    load.slots += SlotsOf(worker.capacity());
  }
  View::Items rows;
  for (const auto& [name, load] : classes) {
    View row = Use(load.busy, load.slots);
    rows.push_back(row.Text("name", name).Text("workers", absl::StrCat(load.workers)));
  }
  return rows;
}

std::string RecipeText(const v1::Recipe& recipe) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(recipe, &text);
  return text;
}

View RecipeRow(const v1::Recipe& recipe) {
  return View().Text("id", IdOf(recipe.name())).Text("description", recipe.description());
}

}  // namespace

absl::StatusOr<HttpResponse> ShowWorkers(const PageContext& context) {
  v1::ListWorkersRequest request;
  request.set_page_token(context.request.Query("page"));
  ABSL_ASSIGN_OR_RETURN(const v1::ListWorkersResponse listed, context.gateway.ListWorkers(request));
  View::Items workers;
  for (const v1::Worker& worker : listed.workers()) workers.push_back(WorkerRow(worker, context.site.clock.Now()));
  const std::string& next = listed.next_page_token();
  return MakePage(context, "Workers", "workers",
                  View()
                      .If("any", listed.workers_size() > 0)
                      .Each("classes", ClassRows(listed))
                      .Each("workers", std::move(workers))
                      .Optional("next", next.empty() ? "" : "/workers?page=" + UrlEncoded(next)));
}

absl::StatusOr<HttpResponse> ShowRecipes(const PageContext& context) {
  ABSL_ASSIGN_OR_RETURN(const v1::ListRecipesResponse listed, context.gateway.ListRecipes());
  View::Items recipes;
  for (const v1::Recipe& recipe : listed.recipes()) recipes.push_back(RecipeRow(recipe));
  return MakePage(context, "Recipes", "recipes", View().Each("recipes", std::move(recipes)));
}

absl::StatusOr<HttpResponse> ShowRecipe(const PageContext& context) {
  ABSL_ASSIGN_OR_RETURN(const v1::Recipe recipe,
                        context.gateway.GetRecipe(ResourceName(Collection::kRecipes, context.arguments[0])));
  View view = RecipeRow(recipe);
  return MakePage(context, context.arguments[0], "recipe", view.Text("text", RecipeText(recipe)));
}

}  // namespace bitwright::server
