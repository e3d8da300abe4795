#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/web/job_view.h"
#include "server/web/job_watch.h"
#include "server/web/page_text.h"
#include "server/web/pages.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

// Proxies and browsers take a connection that says nothing for a dead one.
constexpr absl::Duration kSilence = absl::Seconds(15);
constexpr char kComment[] = ":\n\n";

// https://html.spec.whatwg.org/multipage/server-sent-events.html: each line of the data on a line of its own.
std::string EventText(const std::string& event, const std::string& data) {
  std::string text = "event: " + event + "\n";
  for (const absl::string_view line : absl::StrSplit(data, '\n')) absl::StrAppend(&text, "data: ", line, "\n");
  return text + "\n";
}

// A job's states as events, each with the part of the page that shows it: "progress", and "end" after the last one. An
// "failed" event says why there are no more.
class JobEvents final : public HttpBody {
 public:
  JobEvents(Permits::Permit permit, const Gateway& gateway, const std::string& job, const Clock& clock)
      : permit_(std::move(permit)), gateway_(gateway), watch_(gateway_, job), clock_(clock) {}

  absl::StatusOr<std::string> Next() override {
    if (over_) return std::string();
    const absl::StatusOr<JobWatch::Event> event = watch_.Next(kSilence);
    if (!event.ok()) {
      over_ = true;
      return EventText("failed", std::string(event.status().message()));
    }
    if (event->job) return EventText("progress", Render("_progress", ProgressView(*event->job, clock_.Now())));
    if (!event->ended) return std::string(kComment);
    over_ = true;
    return EventText("end", "");
  }

 private:
  const Permits::Permit permit_;
  const Gateway gateway_;
  JobWatch watch_;
  const Clock& clock_;
  bool over_ = false;  // the last event was given
};

}  // namespace

absl::StatusOr<HttpResponse> FollowJob(const PageContext& context) {
  const std::string name = JobName(context);
  // What is no job, or no longer this caller's, is a status and no stream.
  ABSL_RETURN_IF_ERROR(context.gateway.GetJob(name).status());
  HttpResponse response{.content_type = "text/event-stream"};
  if (context.request.method == "HEAD") return response;
  std::optional<Permits::Permit> permit = context.site.streams.Take();
  if (!permit) return StreamsFullError(context.site.streams.most());
  response.stream = std::make_shared<JobEvents>(*std::move(permit), context.gateway, name, context.site.clock);
  return response;
}

}  // namespace bitwright::server
