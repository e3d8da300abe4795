#include "server/web/page_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/base/errors.h"
#include "proto/base/wire_time.h"
#include "proto/contract/goals.h"
#include "proto/contract/job_states.h"
#include "proto/contract/rpc_status.h"
#include "proto/report/job_goals.h"
#include "proto/report/job_progress.h"

namespace bitwright::server {

std::string IdOf(const std::string& name) { return name.substr(name.find('/') + 1); }

std::string DisplayName(const std::string& name, const std::string& given) {
  return given.empty() ? IdOf(name) : given;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", FromProto(time), absl::UTCTimeZone());
}

std::string StateText(v1::Job::State state) { return absl::AsciiStrToLower(v1::Job::State_Name(state)); }

std::string RecipeText(const v1::JobSpec& spec) {
  return spec.has_inline_recipe() ? spec.inline_recipe().name() + " (of the job)" : IdOf(spec.recipe());
}

std::string ErrorText(const google::rpc::Status& error) {
  const absl::Status status = FromProto(error);
  const std::string reason = ErrorReason(status);
  return std::string(status.message()) + (reason.empty() ? "" : " [" + reason + "]");
}

void PutShare(View& view, double share) {
  const double shown = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0;
  view.Text("share", absl::StrCat(shown)).Text("percent", absl::StrCat(static_cast<int>(100 * shown)));
}

View JobRow(const v1::Job& job, absl::Time now) {
  const v1::JobSpec& spec = job.spec();
  View row;
  row.Text("id", IdOf(job.name()))
      .Text("name", DisplayName(job.name(), spec.display_name()))
      .Text("state", StateText(job.state()))
      .If("running", job.state() == v1::Job::RUNNING)
      .If("unfinished", !IsTerminal(job.state()))
      .If("succeeded", job.state() == v1::Job::SUCCEEDED)
      .If("retryable", job.state() == v1::Job::FAILED || job.state() == v1::Job::CANCELLED)
      .Text("budgets", absl::StrJoin(GoalNames(GoalsOf(spec)), ", "))
      .Text("model", IdOf(spec.model()))
      .Text("created", TimeText(job.create_time()))
      .Optional("elapsed", ElapsedText(job, now))
      .Optional("remaining", RemainingText(job))
      .Optional("waiting", IsTerminal(job.state()) ? "" : WaitingText(job.waiting()));
  PutShare(row, job.progress());
  return row.Text("percent", absl::StrCat(PercentDone(job)));
}

}  // namespace bitwright::server
