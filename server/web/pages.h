#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/contract/names.h"
#include "server/web/gateway.h"
#include "server/web/http.h"
#include "server/web/permits.h"
#include "server/web/sessions.h"
#include "server/web/view.h"

// What is answered at each path (routes.cc). An error becomes a page that says it.
namespace bitwright::server {

// What all pages of a service share.
struct SiteState {
  Sessions& sessions;
  Permits& streams;      // pages that follow a job
  Permits& submissions;  // forms with texts
  const Clock& clock;
  bool asks_for_tokens;
  std::string version;  // of the service
};

// One request for a page.
struct PageContext {
  SiteState& site;
  const HttpRequest& request;
  const Session& session;
  const Gateway& gateway;
  std::vector<std::string> arguments;  // what stands for the stars of the path
  HttpForm form;                       // of a POST
};

// "jobs/3f…", of the first star of the path.
inline std::string JobName(const PageContext& context) { return ResourceName(Collection::kJobs, context.arguments[0]); }

using PageFunction = absl::StatusOr<HttpResponse> (*)(const PageContext& context);

absl::StatusOr<HttpResponse> ShowStart(const PageContext& context);     // goes to the jobs
absl::StatusOr<HttpResponse> ShowJobs(const PageContext& context);      // ?state= filter= order= page=
absl::StatusOr<HttpResponse> ShowJob(const PageContext& context);       // job
absl::StatusOr<HttpResponse> FollowJob(const PageContext& context);     // job: server-sent events
absl::StatusOr<HttpResponse> ShowTasks(const PageContext& context);     // job; ?page=
absl::StatusOr<HttpResponse> CancelJob(const PageContext& context);     // job
absl::StatusOr<HttpResponse> RetryJob(const PageContext& context);      // job
absl::StatusOr<HttpResponse> ShowReport(const PageContext& context);    // job; ?goal= (index) download=1
absl::StatusOr<HttpResponse> SendFile(const PageContext& context);      // job, goal (index), path of a file
absl::StatusOr<HttpResponse> SubmitJob(const PageContext& context);     // the form of a model's page
absl::StatusOr<HttpResponse> ShowModels(const PageContext& context);    // ?page=
absl::StatusOr<HttpResponse> ShowModel(const PageContext& context);     // model; the form's fields
absl::StatusOr<HttpResponse> ShowEstimate(const PageContext& context);  // model; likewise: the part of the page
absl::StatusOr<HttpResponse> ShowWorkers(const PageContext& context);   // ?page=
absl::StatusOr<HttpResponse> ShowRecipes(const PageContext& context);
absl::StatusOr<HttpResponse> ShowRecipe(const PageContext& context);  // recipe
absl::StatusOr<HttpResponse> ShowSignIn(const PageContext& context);  // ?next=
absl::StatusOr<HttpResponse> SignIn(const PageContext& context);      // the form of that page
absl::StatusOr<HttpResponse> SignOut(const PageContext& context);
absl::StatusOr<HttpResponse> SendAsset(const PageContext& context);  // file

// A whole page: the template within the layout.
HttpResponse MakePage(const PageContext& context, const std::string& title, const std::string& template_name,
                      const View& view);
// An error as a page, with the status that it has in HTTP.
HttpResponse MakeErrorPage(const PageContext& context, const absl::Status& error);
// Goes to another page of this site; after a form (303), so that loading that page again sends nothing again.
HttpResponse GoTo(const std::string& path);
// "bitwright-7073", or with the rule that browsers hold it to one host: cookies of services at several ports of one
// machine go to all of them.
std::string CookieName(const HttpRequest& request);

}  // namespace bitwright::server
