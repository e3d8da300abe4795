#include "client/cli/quantize_command.h"

#include "absl/strings/str_cat.h"
#include "client/cli/deliver.h"
#include "client/cli/follow.h"
#include "client/cli/job_making.h"
#include "client/cli/kept_results.h"
#include "client/cli/preflight.h"
#include "client/cli/session.h"
#include "proto/base/status_macros.h"
#include "proto/report/job_goals.h"

namespace bitwright::client {
namespace {

// One job, from the draft to the folders of its outcomes.
class Run {
 public:
  Run(const CommandContext& context, JobDraft draft)
      : context_(context),
        draft_(std::move(draft)),
        results_(context.environment.state_dir),
        deliveries_(DeliveriesTo(context.options.out, context.options.force, draft_.goals)) {}

  absl::StatusOr<ExitCode> Execute() {
    ABSL_RETURN_IF_ERROR(CheckOut(BytesBeforeEstimate()));
    TellIgnored(context_, draft_);
    ABSL_RETURN_IF_ERROR(FindKept());
    ABSL_RETURN_IF_ERROR(OpenSession());
    const absl::Status status = session_->Explain(RunOnSession());
    context_.progress.Finish();
    if (session_->is_local()) {
      KeepUndelivered();
    } else if (absl::IsCancelled(status)) {
      TellWhatGoesOn();
    }
    session_.reset();
    if (kept_ && delivered_) results_.Drop(key_, *kept_);
    ABSL_RETURN_IF_ERROR(status);
    if (!delivered_) return ReportBadEnd(context_, job_);
    Print();
    return ExitCode::kOk;
  }

 private:
  // Rights and room, as far as they are known.
  absl::Status CheckOut(int64_t needed_bytes) const {
    for (const Delivery& delivery : deliveries_) ABSL_RETURN_IF_ERROR(delivery.out.Check());
    return deliveries_.front().out.CheckRoom(needed_bytes);
  }

  int64_t BytesBeforeEstimate() const {
    const int64_t model_bytes = draft_.model ? draft_.model->size_bytes() : 0;
    int64_t needed = 0;
    for (const v1::Goal& goal : GoalsOf(draft_.spec)) needed += NeededBytes(model_bytes, goal.budget());
    return needed;
  }

  // The result of an earlier run of the same command.
  absl::Status FindKept() {
    const bool look = Session::WouldBeLocal(context_.options, context_.environment) && results_.any();
    if (!look || !draft_.model.has_value()) return absl::OkStatus();
    ABSL_RETURN_IF_ERROR(HashDraft(*context_.cancel, ToReporter(context_), draft_));
    key_ = Key();
    kept_ = results_.Find(key_);
    const std::string& named = context_.options.local.keep_data_dir;
    if (kept_ && !named.empty() && kept_->data_dir != named) kept_.reset();
    return absl::OkStatus();
  }

  std::string Key() const { return KeptResults::KeyOf(draft_.manifest.value_or(v1::Manifest()), draft_.spec); }

  absl::Status OpenSession() {
    const std::string data_dir = kept_ ? kept_->data_dir : "";
    auto session = Session::Open(context_.options, context_.environment, context_.cancel, data_dir);
    if (!session.ok() && kept_ && !absl::IsCancelled(session.status())) {
      context_.progress.Warn(absl::StrCat("the result that was kept in ", data_dir,
                                          " cannot be opened and is left there; the job runs again"));
      kept_.reset();
      session = Session::Open(context_.options, context_.environment, context_.cancel);
    }
    ABSL_RETURN_IF_ERROR(session.status());
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  // OK, too, when the job ended badly: then nothing is delivered.
  absl::Status RunOnSession() {
    Client& client = session_->client();
    if (kept_ && !TakeKept(client)) kept_.reset();
    if (!kept_) {
      ABSL_RETURN_IF_ERROR(Prepare(client));
      ABSL_ASSIGN_OR_RETURN(job_, MakeJob(context_, client, draft_.spec));
      ABSL_ASSIGN_OR_RETURN(job_, Follow(context_, client, job_.name()));
    }
    if (job_.state() != v1::Job::SUCCEEDED) return absl::OkStatus();
    ABSL_RETURN_IF_ERROR(Deliver(context_, client, job_, deliveries_));
    delivered_ = true;
    return absl::OkStatus();
  }

  bool TakeKept(Client& client) {
    auto job = client.GetJob(kept_->job);
    if (!job.ok() || job->state() != v1::Job::SUCCEEDED) return false;
    job_ = *std::move(job);
    return true;
  }

  absl::Status Prepare(Client& client) {
    ABSL_RETURN_IF_ERROR(SendDraft(context_, client, draft_).status());
    ABSL_ASSIGN_OR_RETURN(const v1::Job planned, client.ValidateJob(draft_.spec));
    int64_t needed = 0;
    for (const v1::GoalEstimate& estimate : EstimatesOf(planned)) needed += NeededBytes(estimate);
    return CheckOut(needed);
  }

  // What was computed outlives the service that computed it.
  void KeepUndelivered() {
    if (job_.state() != v1::Job::SUCCEEDED || delivered_ || kept_) return;
    const std::string data_dir = session_->local_server()->KeepData(results_.PlaceForData());
    const bool owned = session_->local_server()->owns_data();
    // Without a folder nothing here names the model's content.
    const bool remembered = draft_.model.has_value() && results_.Keep(Key(), {job_.name(), data_dir, owned});
    context_.console.Warning(absl::StrCat(
        "the result is computed and is kept in ", data_dir, "; ",
        remembered ? "mend what is said below and give the same command again: it delivers it and computes nothing"
                   : absl::StrCat("mend what is said below and give the same command again with --keep-data-dir ",
                                  data_dir, ": it finds all work done")));
  }

  void TellWhatGoesOn() const {
    if (job_.name().empty() || delivered_) return;
    context_.console.Note(absl::StrCat(job_.name(), " goes on at the server. Its result: bitwright artifact download ",
                                       job_.name(), " -o ", context_.options.out, "; to end it: bitwright job cancel ",
                                       job_.name()));
  }

  void Print() const {
    const auto& ignored = draft_.model ? draft_.model->ignored : std::vector<IgnoredFile>();
    const bool json = context_.console.style().json;
    context_.console.Result(json ? "" : DeliveryText(job_, deliveries_),
                            json ? DeliveryJson(job_, deliveries_, ignored) : "");
  }

  const CommandContext& context_;
  JobDraft draft_;
  const KeptResults results_;
  std::vector<Delivery> deliveries_;  // one for each goal
  std::string key_;                   // of a result that is kept
  std::optional<KeptResult> kept_;
  std::unique_ptr<Session> session_;
  v1::Job job_;
  bool delivered_ = false;
};

}  // namespace

absl::StatusOr<ExitCode> Quantize(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(JobDraft draft, DraftJob(context.options, context.environment));
  return Run(context, std::move(draft)).Execute();
}

}  // namespace bitwright::client
