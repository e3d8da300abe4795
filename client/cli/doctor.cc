#include "client/cli/doctor.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/cli/find_resource.h"
#include "client/cli/local_server.h"
#include "client/cli/session.h"
#include "client/cli/version.h"
#include "proto/base/status_macros.h"
#include "proto/contract/code_version.h"
#include "proto/contract/live_set.h"
#include "proto/contract/worker_capacity.h"
#include "proto/report/number_text.h"
#include "proto/report/text_table.h"

namespace bitwright::client {
namespace {

using State = Finding::State;

const char* StateText(State state) {
  switch (state) {
    case State::kGood:
      return "good";
    case State::kWarning:
      return "warning";
    case State::kFault:
      return "fault";
  }
  return "";
}

bool Works(const v1::Worker& worker) { return worker.state() == v1::Worker::ACTIVE; }

// Whether every task of a job has room there.
bool HasRoom(const v1::Estimate& estimate, const v1::WorkerCapacity& worker) {
  if (const int64_t device_bytes = TaskDeviceMemory(worker); device_bytes > 0) {
    return estimate.peak_device_memory_bytes() <= device_bytes &&
           estimate.peak_host_memory_bytes() <= TaskMemory(worker);
  }
  const LiveSet largest{estimate.peak_memory_bytes(), estimate.thread_memory_bytes(), 0};
  return largest.On(ThreadsPerTask(worker)) <= TaskMemory(worker);
}

// For commands that start a service of their own.
Finding CheckDaemon(const Environment& environment) {
  const auto daemon = FindDaemon(environment);
  if (daemon.ok()) return {"local service", State::kGood, "--local starts " + *daemon};
  return {"local service", State::kWarning, "--local is not possible: " + std::string(daemon.status().message())};
}

// The rest of what a service tells; findings so far stay where it stops answering.
absl::Status LookAt(const CommandContext& context, Client& client, std::vector<Finding>& findings) {
  ABSL_ASSIGN_OR_RETURN(const v1::Capabilities server, client.GetCapabilities());
  findings.push_back(CheckVersion(kVersion, server));
  findings.push_back(CheckStorage(server));
  ABSL_ASSIGN_OR_RETURN(const std::vector<v1::Worker> workers, client.ListWorkers());
  for (Finding& finding : CheckWorkers(workers)) findings.push_back(std::move(finding));
  if (context.options.name.empty()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, FindModel(client, context.options.name));
  v1::JobSpec spec;
  spec.set_model(model.name());
  spec.set_recipe(FullName("recipes", context.options.job.recipe));
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.ValidateJob(spec));
  findings.push_back(CheckCost(job.estimate(), workers));
  return absl::OkStatus();
}

std::string TableOf(std::span<const Finding> findings) {
  std::string text;
  for (const Finding& finding : findings) {
    constexpr size_t kIndent = 26, kColumns = 100;
    std::string label = finding.about;
    label.resize(std::max(label.size(), size_t{16}), ' ');
    text += Beside(label + StateText(finding.state), kIndent, finding.text, kColumns);
  }
  return text;
}

std::string JsonOf(std::span<const Finding> findings) {
  auto json = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json.push_back({{"about", finding.about}, {"state", StateText(finding.state)}, {"text", finding.text}});
  }
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Finding CheckVersion(std::string_view own, const v1::Capabilities& server) {
  const std::string text = absl::StrCat("client ", std::string(own), ", server ", server.version(), ", API ",
                                        server.api_version(), ", ", server.targets_size(), " targets");
  if (own == server.version()) return {"versions", State::kGood, text};
  return {"versions", State::kWarning, text + "; use programs of one version where something is refused"};
}

Finding CheckStorage(const v1::Capabilities& server) {
  const v1::Capabilities::Storage& storage = server.storage();
  const std::string text = absl::StrCat(BytesText(storage.free_bytes()), " are free for the server's data");
  switch (storage.state()) {
    case v1::Capabilities::Storage::LOW:
      return {"storage", State::kFault, text + ": too few to begin new work; make room there, it goes on by itself"};
    case v1::Capabilities::Storage::FULL:
      return {"storage", State::kFault, text + ": too few for uploads or new work; make room there"};
    default:
      return {"storage", State::kGood, text};
  }
}

std::vector<Finding> CheckWorkers(std::span<const v1::Worker> workers) {
  if (workers.empty()) {
    return {
        {"workers", State::kFault,
         "none is registered, so that jobs wait; start `bitwright-worker --join` on some machine, or the server with "
         "--local-workers"}};
  }
  std::map<std::string, std::pair<int, int>> classes;  // workers, slots
  std::map<std::string, int> versions;
  for (const v1::Worker& worker : workers) {
    if (!Works(worker)) continue;
    const std::string& card = worker.capacity().device_name();
    auto& [count, slots] = classes[worker.capacity().compute_class() + (card.empty() ? "" : " (" + card + ")")];
    ++count;
    slots += SlotsOf(worker.capacity());
    ++versions[ProgramOf(worker.capacity().code_version())];
  }
  if (classes.empty()) {
    return {{"workers", State::kFault, "all are cordoned or leave; `bitwright worker uncordon` lets one work again"}};
  }
  std::vector<Finding> findings;
  findings.reserve(classes.size());
  for (const auto& [name, count] : classes) {
    findings.push_back({"workers", State::kGood,
                        absl::StrCat(count.first, " of class ", name, " with ", count.second,
                                     count.second == 1 ? " slot" : " slots")});
  }
  const auto idle = std::ranges::count_if(workers, [](const v1::Worker& worker) { return !Works(worker); });
  if (idle > 0)
    findings.push_back({"workers", State::kWarning, absl::StrCat(idle, " take nothing new: `worker list`")});
  if (versions.size() > 1) {
    findings.push_back({"workers", State::kWarning,
                        absl::StrCat(versions.size(),
                                     " versions of their code are at work; a job stays with one, so that "
                                     "it may wait for workers that are few")});
  }
  return findings;
}

Finding CheckCost(const v1::Estimate& estimate, std::span<const v1::Worker> workers) {
  const std::string text = absl::StrCat(
      "about ", SecondsText(estimate.seconds()), " on one worker in ", estimate.tasks(), " tasks, ",
      BytesText(estimate.intermediate_bytes()), " written meanwhile, ", BytesText(estimate.peak_memory_bytes()),
      " of memory and ", BytesText(estimate.thread_memory_bytes()), " for each thread");
  const auto fits = [&](const v1::Worker& worker) { return Works(worker) && HasRoom(estimate, worker.capacity()); };
  if (std::ranges::any_of(workers, fits)) return {"a job", State::kGood, text};
  return {"a job", State::kFault, text + ": no worker has so much for a task; start one on a larger machine"};
}

absl::StatusOr<ExitCode> Doctor(const CommandContext& context) {
  std::vector<Finding> findings = {CheckDaemon(context.environment)};
  absl::Status status;
  const auto session = Session::Open(context.options, context.environment, context.cancel);
  if (session.ok()) {
    const size_t before = findings.size();
    status = LookAt(context, (*session)->client(), findings);
    const std::string at = (*session)->address();
    // The first answer shows that it is there, and that it knows who asks.
    if (findings.size() > before) findings.insert(findings.begin(), {"service", State::kGood, at + " answers"});
  } else {
    status = session.status();
  }
  if (!status.ok()) findings.push_back({"service", State::kFault, std::string(status.message())});
  context.console.Result(TableOf(findings), JsonOf(findings));
  if (!status.ok()) return ExitCodeOf(status);
  const bool fault = std::ranges::any_of(findings, [](const Finding& f) { return f.state == State::kFault; });
  return fault ? ExitCode::kFailed : ExitCode::kOk;
}

}  // namespace bitwright::client
