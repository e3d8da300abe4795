#include "client/cli/quantize_command.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/deliver.h"
#include "client/cli/job_making.h"
#include "client/cli/kept_results.h"
#include "client/cli/preflight.h"
#include "client/cli/session.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

// One budget of the command.
struct Part {
  BudgetChoice choice;
  OutDir out;
  std::string key;  // of a result that is kept
  std::optional<KeptResult> kept;
  std::optional<v1::Estimate> estimate;  // once the service has made one
  v1::Job job;
  absl::Status status;  // why there is no delivery
  std::optional<Delivery> delivery;
};

class Run {
 public:
  Run(const CommandContext& context, JobDraft draft)
      : context_(context), draft_(std::move(draft)), kept_(context.environment.state_dir) {
    const std::string& out = context.options.out;
    for (const BudgetChoice& choice : draft_.budgets) {
      const std::string folder = draft_.budgets.size() == 1 ? out : absl::StrCat(out, "/", choice.text);
      parts_.push_back({choice, OutDir(folder, context.options.force)});
    }
  }

  absl::StatusOr<ExitCode> Execute() {
    ABSL_RETURN_IF_ERROR(CheckOut());
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
    for (const Part& part : parts_) {
      if (part.kept && part.delivery) kept_.Drop(part.key, *part.kept);
    }
    ABSL_RETURN_IF_ERROR(status);
    return Print();
  }

 private:
  // Rights and room, as far as they are known.
  absl::Status CheckOut() const {
    const int64_t model_bytes = draft_.model ? draft_.model->size_bytes() : 0;
    int64_t needed = 0;
    for (const Part& part : parts_) {
      ABSL_RETURN_IF_ERROR(part.out.Check());
      needed += part.estimate ? NeededBytes(*part.estimate, part.choice.budget)
                              : NeededBytes(model_bytes, part.choice.budget);
    }
    return parts_.front().out.CheckRoom(needed);
  }

  // Results of an earlier run of the same command, all in one data folder.
  absl::Status FindKept() {
    const bool look = Session::WouldBeLocal(context_.options, context_.environment) && kept_.any();
    if (!look || !draft_.model.has_value()) return absl::OkStatus();
    ABSL_RETURN_IF_ERROR(HashDraft(*context_.cancel, ToReporter(context_), draft_));
    data_dir_ = context_.options.local.keep_data_dir;
    for (Part& part : parts_) {
      part.key = KeyOf(part);
      part.kept = kept_.Find(part.key);
      if (part.kept && data_dir_.empty()) data_dir_ = part.kept->data_dir;
      if (part.kept && part.kept->data_dir != data_dir_) part.kept.reset();
    }
    return absl::OkStatus();
  }

  std::string KeyOf(const Part& part) const {
    return KeptResults::KeyOf(draft_.manifest.value_or(v1::Manifest()), draft_.WithBudget(part.choice));
  }

  absl::Status OpenSession() {
    auto session = Session::Open(context_.options, context_.environment, context_.cancel, data_dir_);
    const bool any_kept =
        std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.kept.has_value(); });
    if (!session.ok() && any_kept && !absl::IsCancelled(session.status())) {
      context_.progress.Warn(absl::StrCat("the result that was kept in ", data_dir_,
                                          " cannot be opened and is left there; the job runs again"));
      for (Part& part : parts_) part.kept.reset();
      session = Session::Open(context_.options, context_.environment, context_.cancel);
    }
    ABSL_RETURN_IF_ERROR(session.status());
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  absl::Status RunOnSession() {
    Client& client = session_->client();
    bool all_kept = true;
    for (Part& part : parts_) {
      if (part.kept && !TakeKept(client, part)) part.kept.reset();
      all_kept = all_kept && part.kept.has_value();
    }
    if (!all_kept) ABSL_RETURN_IF_ERROR(Prepare(client));
    for (Part& part : parts_) {
      if (part.kept) continue;
      ABSL_ASSIGN_OR_RETURN(part.job, MakeJob(context_, client, draft_.WithBudget(part.choice)));
    }
    for (Part& part : parts_) {
      part.status = FollowAndDeliver(client, part);
      ABSL_RETURN_IF_ERROR(context_.cancel->Check());
      if (!part.status.ok() && session_->Explain(part.status) != part.status) return part.status;
    }
    return absl::OkStatus();
  }

  static bool TakeKept(Client& client, Part& part) {
    auto job = client.GetJob(part.kept->job);
    if (!job.ok() || job->state() != v1::Job::SUCCEEDED) return false;
    part.job = *std::move(job);
    return true;
  }

  absl::Status Prepare(Client& client) {
    ABSL_RETURN_IF_ERROR(SendDraft(context_, client, draft_).status());
    for (Part& part : parts_) {
      ABSL_ASSIGN_OR_RETURN(const v1::Job planned, client.ValidateJob(draft_.WithBudget(part.choice)));
      part.estimate = planned.estimate();
    }
    return CheckOut();
  }

  absl::Status FollowAndDeliver(Client& client, Part& part) {
    if (!part.kept) {
      ABSL_ASSIGN_OR_RETURN(part.job, Follow(context_, client, part.job.name()));
      if (part.job.state() != v1::Job::SUCCEEDED) return EndOf(part.job);
    }
    ABSL_ASSIGN_OR_RETURN(v1::Report report, Deliver(context_, client, part.job, part.out));
    part.delivery = Delivery{part.choice.text, part.job, std::move(report), part.out.path()};
    return absl::OkStatus();
  }

  bool Undelivered(const Part& part) const {
    return part.job.state() == v1::Job::SUCCEEDED && !part.delivery && !part.kept;
  }

  // What was computed outlives the service that computed it.
  void KeepUndelivered() {
    if (std::none_of(parts_.begin(), parts_.end(), [&](const Part& part) { return Undelivered(part); })) return;
    const std::string data_dir = session_->local_server()->KeepData(kept_.PlaceForData());
    const bool owned = session_->local_server()->owns_data();
    bool remembered = draft_.model.has_value();  // otherwise nothing here names the model's content
    for (const Part& part : parts_) {
      if (remembered && Undelivered(part)) remembered = kept_.Keep(KeyOf(part), {part.job.name(), data_dir, owned});
    }
    context_.console.Warning(absl::StrCat(
        "the result is computed and is kept in ", data_dir, "; ",
        remembered ? "mend what is said below and give the same command again: it delivers it and computes nothing"
                   : absl::StrCat("mend what is said below and give the same command again with --keep-data-dir ",
                                  data_dir, ": it finds all work done")));
  }

  void TellWhatGoesOn() const {
    for (const Part& part : parts_) {
      if (part.job.name().empty() || part.delivery) continue;
      context_.console.Note(absl::StrCat(
          part.job.name(), " goes on at the server. Its result: bitwright artifact download ", part.job.name(), " -o ",
          part.out.path(), "; to end it: bitwright job cancel ", part.job.name()));
    }
  }

  absl::StatusOr<ExitCode> Print() {
    std::vector<Delivery> deliveries;
    for (Part& part : parts_) {
      if (part.delivery) deliveries.push_back(*std::move(part.delivery));
    }
    const auto& ignored = draft_.model ? draft_.model->ignored : std::vector<IgnoredFile>();
    const bool json = context_.console.style().json;
    const bool failed = deliveries.size() < parts_.size();
    if (parts_.size() > 1 && !(json && failed)) {
      context_.console.Result(json ? "" : CurveText(deliveries), json ? CurveJson(deliveries, ignored) : "");
    } else if (!failed) {
      context_.console.Result(json ? "" : DeliveryText(deliveries[0]),
                              json ? DeliveryJson(deliveries[0], ignored) : "");
    }
    return PrintErrors();
  }

  ExitCode PrintErrors() const {
    ExitCode code = ExitCode::kOk;
    for (const Part& part : parts_) {
      if (part.status.ok()) continue;
      ExitCode one = ExitCode::kOk;
      if (part.job.state() == v1::Job::FAILED || part.job.state() == v1::Job::CANCELLED) {
        one = ReportBadEnd(context_, part.job);
      } else {
        context_.console.Error(part.status);
        one = ExitCodeOf(part.status);
      }
      if (code == ExitCode::kOk) code = one;
      if (context_.console.style().json) break;  // one error is one JSON object
    }
    return code;
  }

  const CommandContext& context_;
  JobDraft draft_;
  const KeptResults kept_;
  std::vector<Part> parts_;
  std::string data_dir_;
  std::unique_ptr<Session> session_;
};

}  // namespace

absl::StatusOr<ExitCode> Quantize(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(JobDraft draft, DraftJob(context.options, context.environment));
  return Run(context, std::move(draft)).Execute();
}

}  // namespace bitwright::client
