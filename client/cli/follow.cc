#include "client/cli/follow.h"

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "client/api/foreign_status.h"
#include "google/rpc/status.pb.h"

namespace bitwright::client {

OnTransfer ToReporter(const CommandContext& context) {
  return [&progress = context.progress](const TransferProgress& state) { progress.Transfer(state); };
}

void WarnOf(const CommandContext& context, const google::protobuf::RepeatedPtrField<v1::Notice>& notices) {
  for (const v1::Notice& notice : notices) {
    context.progress.Warn(absl::StrCat(notice.message(), " [", notice.reason(), "]"));
  }
}

absl::StatusOr<v1::Job> Follow(const CommandContext& context, Client& client, const std::string& name,
                               const std::function<void(const v1::Job&)>& on_job) {
  return client.WatchJob(name, [&](const v1::Job& now) {
    context.progress.Job(now);
    WarnOf(context, now.notices());
    if (on_job) on_job(now);
  });
}

ExitCode ReportBadEnd(const CommandContext& context, const v1::Job& job) {
  context.progress.Finish();
  const bool cancelled = job.state() == v1::Job::CANCELLED;
  const absl::Status why = cancelled ? JobCancelledError(job.name()) : WithReason(job.error());
  context.console.Error(why);
  if (cancelled) return ExitCode::kCancelled;
  return ExitCodeOf(why) == ExitCode::kUsage ? ExitCode::kUsage : ExitCode::kFailed;
}

}  // namespace bitwright::client
