#include "client/cli/resource_text.h"

#include <google/protobuf/util/time_util.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/api/foreign_status.h"
#include "client/cli/find_resource.h"
#include "proto/base/errors.h"
#include "proto/contract/devices.h"
#include "proto/contract/names.h"
#include "proto/inputs/data_kind.h"
#include "proto/report/budget_text.h"
#include "proto/report/job_goals.h"
#include "proto/report/job_progress.h"
#include "proto/report/number_text.h"
#include "proto/report/report_text.h"
#include "proto/report/text_table.h"

namespace bitwright::client {
namespace {

using Align = TextTable::Align;
constexpr size_t kNameColumns = 40;

std::string Line(std::string_view label, const std::string& value) {
  std::string text = absl::StrCat("  ", std::string(label));
  text.resize(22, ' ');
  return text + value + "\n";
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  google::protobuf::Timestamp seconds;
  seconds.set_seconds(time.seconds());
  return google::protobuf::util::TimeUtil::ToString(seconds);
}

std::string ErrorText(const google::rpc::Status& error) {
  const absl::Status status = WithReason(error);
  return absl::StrCat(Printable(std::string(status.message()), 2000), " [", ErrorReason(status), "]");
}

std::string RecipeName(const v1::JobSpec& spec) {
  return Printable(spec.has_inline_recipe() ? spec.inline_recipe().name() + " (inline)" : spec.recipe(), kNameColumns);
}

std::string LabelsText(const v1::JobSpec& spec) {
  const std::map<std::string, std::string> sorted(spec.labels().begin(), spec.labels().end());
  std::string text;
  for (const auto& [key, value] : sorted) absl::StrAppend(&text, text.empty() ? "" : ", ", key, "=", value);
  return Printable(text, 200);
}

// An older server gives no state.
std::string WorkerStateText(const v1::Worker& worker) {
  return worker.state() == v1::Worker::STATE_UNSPECIFIED ? "" : v1::Worker::State_Name(worker.state());
}

std::string TasksText(const v1::Worker& worker) {
  if (worker.tasks_size() == 0) return worker.task().empty() ? "idle" : worker.task();
  return absl::StrJoin(worker.tasks(), " ");
}

std::string DataText(const v1::Data& data) {
  return absl::StrCat(Printable(data.display_name(), kNameColumns), data.display_name().empty() ? "" : ", ",
                      DataKindName(data.kind()));
}

std::string DataLines(std::string_view label, const google::protobuf::RepeatedPtrField<v1::Data>& texts) {
  std::string lines;
  for (const v1::Data& data : texts) absl::StrAppend(&lines, Line(lines.empty() ? label : "", DataText(data)));
  return lines;
}

std::string GoalLines(const v1::GoalEstimate& e) {
  return Line("artifact", "at most " + WithThousands(e.artifact_bytes()) + " bytes") +
         Line("possible budgets", absl::StrCat(RoundedUp(e.smallest_average_bits(), 3), "bpw to ",
                                               RoundedDown(e.largest_average_bits(), 3), "bpw")) +
         Line("", absl::StrCat(e.smallest_artifact_bytes(), "B to ", e.largest_artifact_bytes(), "B")) +
         Line("loadable", absl::StrCat(e.loadable() ? "yes" : "no", e.loadable_reason().empty() ? "" : ": ",
                                       Printable(e.loadable_reason(), 200)));
}

int64_t BytesOf(const v1::Manifest& files) {
  int64_t bytes = 0;
  for (const v1::FileEntry& file : files.files()) bytes += file.digest().size_bytes();
  return bytes;
}

// What a job is to make: several goals with the numbers that --goal takes, and what they came to.
std::string GoalLines(const v1::Job& job) {
  const std::vector<v1::Goal> goals = GoalsOf(job.spec());
  if (goals.size() == 1) {
    return Line("budget", BudgetText(goals[0].budget())) + Line("target", Printable(goals[0].target(), kNameColumns));
  }
  const std::vector<v1::Outcome> outcomes = OutcomesOf(job);
  std::string text;
  for (size_t g = 0; g < goals.size(); ++g) {
    const std::string came_to =
        g < outcomes.size() ? absl::StrCat(": ", WithThousands(BytesOf(outcomes[g].artifact())), " bytes") : "";
    text += Line(g == 0 ? "goals" : "", absl::StrCat(g + 1, "  ", GoalText(goals[g]), came_to));
  }
  return text;
}

// "cpu", or "cuda: NVIDIA H100 80GB HBM3, 79.2 GiB".
std::string DeviceText(const v1::WorkerCapacity& capacity) {
  std::string text = Printable(capacity.device(), 16);
  if (!capacity.device_name().empty()) absl::StrAppend(&text, ": ", Printable(capacity.device_name(), 32));
  if (capacity.device_memory_bytes() > 0) absl::StrAppend(&text, ", ", BytesText(capacity.device_memory_bytes()));
  return text;
}

// Short enough for a table.
std::string BudgetsText(const v1::Job& job) {
  const std::vector<std::string> names = GoalNames(GoalsOf(job.spec()));
  return Printable(absl::StrJoin(names, ", "), 24);
}

}  // namespace

std::string JobText(const v1::Job& job, absl::Time now) {
  std::string text = absl::StrCat(job.name(), "  ", v1::Job::State_Name(job.state()), "\n");
  text += Line("name", Printable(job.spec().display_name(), kNameColumns));
  text += Line("model", job.spec().model());
  text += GoalLines(job);
  text += Line("recipe", RecipeName(job.spec()));
  text += DataLines("calibration", job.spec().calibration()) + DataLines("evaluation", job.spec().evaluation());
  if (job.spec().labels_size() > 0) text += Line("labels", LabelsText(job.spec()));
  text += Line("progress", ProgressText(job, now));
  if (const std::string waiting = WaitingText(job.waiting()); !waiting.empty()) text += Line("waiting", waiting);
  if (job.has_create_time()) text += Line("created", TimeText(job.create_time()));
  if (job.has_start_time()) text += Line("started", TimeText(job.start_time()));
  if (job.has_end_time()) text += Line("ended", TimeText(job.end_time()));
  if (!WantedDevice(job.spec().device()).empty()) text += Line("device", Printable(job.spec().device(), 16));
  if (!job.compute_class().empty()) text += Line("compute class", job.compute_class());
  if (job.state() == v1::Job::FAILED) text += Line("error", ErrorText(job.error()));
  for (const v1::Notice& notice : job.notices()) text += Line("warning", WaitingText(notice));
  if (job.stages_size() > 0) absl::StrAppend(&text, "\n", StageTableText(job));
  return text;
}

std::string JobTable(std::span<const v1::Job> jobs, absl::Time now) {
  TextTable table({{"job", Align::kLeft},
                   {"state", Align::kLeft},
                   {"done"},
                   {"time"},
                   {"left", Align::kLeft},
                   {"budget", Align::kLeft},
                   {"name", Align::kLeft},
                   {"created", Align::kLeft}});
  for (const v1::Job& job : jobs) {
    table.Add({job.name(), v1::Job::State_Name(job.state()), absl::StrCat(PercentDone(job), " %"),
               ElapsedText(job, now), RemainingText(job), BudgetsText(job), Printable(job.spec().display_name(), 20),
               TimeText(job.create_time())});
  }
  return table.ToText(120);
}

std::string EstimateText(const v1::Job& planned, std::span<const std::string> goals) {
  const v1::Estimate& e = planned.estimate();
  const std::vector<v1::GoalEstimate> estimates = EstimatesOf(planned);
  const std::string names = absl::StrJoin(goals, ", ");
  std::string text = names.empty() ? "A job like this\n" : absl::StrCat("A job for ", names, "\n");
  text += Line("tasks", absl::StrCat(e.tasks()));
  text += Line("time", SecondsText(e.seconds()) + " on one worker");
  text += Line("memory of a task",
               BytesText(e.peak_memory_bytes()) + ", and " + BytesText(e.thread_memory_bytes()) + " for each thread");
  if (e.peak_device_memory_bytes() > 0) {
    text += Line("on a graphics card", BytesText(e.peak_device_memory_bytes()) + " of its memory, and " +
                                           BytesText(e.peak_host_memory_bytes()) + " beside it");
  }
  text += Line("intermediate data", BytesText(e.intermediate_bytes()));
  if (estimates.size() > 1)
    text += Line("artifacts", "at most " + WithThousands(e.artifact_bytes()) + " bytes together");
  for (size_t g = 0; g < estimates.size(); ++g) {
    if (estimates.size() > 1) absl::StrAppend(&text, "\n", g < goals.size() ? goals[g] : "", "\n");
    text += GoalLines(estimates[g]);
  }
  return text;
}

std::string ModelText(const v1::Model& model) {
  std::string text = absl::StrCat(model.name(), "  ", v1::Model::State_Name(model.state()), "\n");
  text += Line("name", Printable(model.display_name(), kNameColumns));
  text += Line("created", TimeText(model.create_time()));
  if (const std::string waiting = WaitingText(model.waiting()); !waiting.empty()) text += Line("waiting", waiting);
  if (model.state() == v1::Model::REJECTED) text += Line("error", ErrorText(model.error()));
  if (model.has_info()) {
    const v1::ModelInfo& info = model.info();
    text += Line("architecture", Printable(info.architecture(), kNameColumns));
    text += Line("parameters", WithThousands(info.parameters()));
    text += Line("blocks", absl::StrCat(info.blocks(), ", hidden ", info.hidden_size(), ", vocabulary ",
                                        info.vocab_size(), ", ", info.dtype()));
    if (info.has_imported()) text += Line("given as", Printable(info.imported().stored_as(), 80));
    for (const v1::TargetInfo& target : info.targets()) {
      text += Line(Printable(target.target(), kNameColumns),
                   target.has_refusal() ? ErrorText(target.refusal())
                                        : absl::StrCat(WithThousands(target.quantized_weights()), " weights in ",
                                                       target.units_size(), " units"));
    }
  }
  TextTable files({{"file", Align::kLeft}, {"bytes"}});
  for (const auto& file : model.manifest().files()) {
    files.Add({Printable(file.path(), 60), WithThousands(file.digest().size_bytes())});
  }
  return absl::StrCat(text, "\n", files.ToText());
}

std::string ModelTable(std::span<const v1::Model> models) {
  TextTable table({{"model", Align::kLeft},
                   {"state", Align::kLeft},
                   {"family", Align::kLeft},
                   {"parameters"},
                   {"name", Align::kLeft},
                   {"created", Align::kLeft}});
  for (const v1::Model& model : models) {
    table.Add({model.name(), v1::Model::State_Name(model.state()), Printable(model.info().family(), 12),
               WithThousands(model.info().parameters()), Printable(model.display_name(), 24),
               TimeText(model.create_time())});
  }
  return table.ToText(120);
}

std::string RecipeTable(std::span<const v1::Recipe> recipes) {
  std::string text;
  for (const v1::Recipe& recipe : recipes) {
    text += Printable(IdOf(Collection::kRecipes, recipe.name()), kNameColumns) + "\n" + "    " +
            Printable(recipe.description(), 300) + "\n";
  }
  return text;
}

std::string WorkerTable(std::span<const v1::Worker> workers) {
  TextTable table({{"worker", Align::kLeft},
                   {"state", Align::kLeft},
                   {"host", Align::kLeft},
                   {"compute class", Align::kLeft},
                   {"device", Align::kLeft},
                   {"cores"},
                   {"memory"},
                   {"task", Align::kLeft}});
  for (const v1::Worker& worker : workers) {
    const v1::WorkerCapacity& capacity = worker.capacity();
    table.Add({worker.name(), WorkerStateText(worker), Printable(capacity.host(), 24),
               Printable(capacity.compute_class(), 24), DeviceText(capacity), absl::StrCat(capacity.cores()),
               BytesText(capacity.memory_bytes()), TasksText(worker)});
  }
  return table.ToText(120);
}

}  // namespace bitwright::client
