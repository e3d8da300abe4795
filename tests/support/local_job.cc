#include "tests/support/local_job.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "google/rpc/status.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "proto/recipes/shipped_recipes.h"
#include "server/jobs/expand.h"
#include "server/jobs/expand_model.h"
#include "server/jobs/resolve.h"
#include "server/jobs/task_digest.h"
#include "server/jobs/texts.h"
#include "workers/agent/child_process.h"
#include "workers/agent/peak_memory.h"
#include "workers/base/files.h"
#include "workers/kernels/compute_class.h"
#include "workers/tasks/run_task.h"

namespace bitwright::worker {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

const v1::Digest* FindOutput(const v1::TaskResult& result, const std::string& name) {
  for (const auto& output : result.outputs()) {
    if (output.name() == name) return &output.digest();
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<v1::Digest> LocalJobs::AddBytes(const std::string& bytes) {
  const v1::Digest digest = ToProto(DigestOf(bytes));
  ABSL_RETURN_IF_ERROR(WriteFile(BlobPath(digest), bytes));
  return digest;
}

absl::StatusOr<v1::Digest> LocalJobs::AddFile(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return AddBytes(bytes);
}

absl::StatusOr<v1::Model> LocalJobs::AddModel(const std::string& model_dir) {
  v1::Model model;
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(model_dir)) {
    if (entry.is_regular_file()) files[entry.path().filename().string()] = entry.path().string();
  }
  files.erase("expected.safetensors");
  for (const auto& [name, path] : files) {
    ABSL_ASSIGN_OR_RETURN(*model.mutable_manifest()->add_files()->mutable_digest(), AddFile(path));
    model.mutable_manifest()->mutable_files()->rbegin()->set_path(name);
  }
  server::TaskNode node = server::InspectNode(model.manifest());
  StageTime time;
  ABSL_ASSIGN_OR_RETURN(const v1::TaskResult result, RunOne(node.spec, node.memory.On(pool_.threads()), time));
  info_ = *FindOutput(result, "info");
  ABSL_ASSIGN_OR_RETURN(*model.mutable_info(), Read<v1::ModelInfo>(result, "info"));
  model.set_name("models/local");
  model.set_display_name(std::filesystem::path(model_dir).filename().string());
  model.set_state(v1::Model::READY);
  return model;
}

absl::StatusOr<v1::TaskResult> LocalJobs::RunOne(const v1::TaskSpec& spec, int64_t estimate_bytes, StageTime& time) {
  ++time.tasks;
  const std::string key = server::TaskDigest(spec);
  if (const auto hit = cache_.find(key); hit != cache_.end()) {
    ++time.cached;
    return hit->second;
  }
  const std::string out = dir_ + "/out-" + key;
  std::filesystem::create_directories(out);
  const double start = Now();
  v1::ExecuteResult executed;
  ABSL_ASSIGN_OR_RETURN(const int64_t peak,
                        worker_.empty() ? RunHere(spec, out, executed) : RunInChild(spec, out, executed));
  time.seconds += Now() - start;
  time.peak_bytes = std::max(time.peak_bytes, peak);
  time.estimate_bytes = std::max(time.estimate_bytes, estimate_bytes);
  if (std::max(peak, estimate_bytes) >= kMemoryThatCounts) {
    const double ratio = static_cast<double>(estimate_bytes) / static_cast<double>(std::max<int64_t>(1, peak));
    if (std::abs(std::log(ratio)) > std::abs(std::log(time.worst_ratio))) time.worst_ratio = ratio;
  }
  v1::TaskResult result;
  for (const auto& output : executed.outputs()) {
    ABSL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(out + "/" + output.file()));
    v1::TaskOutput& to = *result.add_outputs();
    to.set_name(output.name());
    *to.mutable_digest() = ToProto(DigestOf(file->text()));
    std::filesystem::rename(out + "/" + output.file(), BlobPath(to.digest()));
  }
  std::filesystem::remove_all(out);
  cache_[key] = result;
  return result;
}

absl::StatusOr<int64_t> LocalJobs::RunHere(const v1::TaskSpec& spec, const std::string& out,
                                           v1::ExecuteResult& result) {
  std::map<std::string, std::string> inputs;
  for (const auto& input : spec.inputs()) inputs[input.name()] = BlobPath(input.digest());
  TaskContext context;
  context.input_path = [&](const std::string& name) {
    const auto found = inputs.find(name);
    return found == inputs.end() ? std::string() : found->second;
  };
  context.output_dir = out;
  context.pool = &pool_;
  context.progress = [](double) {};
  ResetPeakMemory();
  ABSL_ASSIGN_OR_RETURN(const auto outputs, RunTask(spec, context));
  const int64_t peak = PeakMemoryBytes();
  for (const TaskOutputFile& output : outputs) {
    auto& to = *result.add_outputs();
    to.set_name(output.name);
    to.set_file(output.file);
  }
  return peak;
}

absl::StatusOr<int64_t> LocalJobs::RunInChild(const v1::TaskSpec& spec, const std::string& out,
                                              v1::ExecuteResult& result) {
  ChildOptions options;
  options.program = worker_;
  options.compute_class = ComputeClass();
  ABSL_ASSIGN_OR_RETURN(const auto child, ChildProcess::Start(options));
  v1::ExecuteRequest request;
  *request.mutable_task() = spec;
  request.set_input_dir(dir_);
  request.set_output_dir(out);
  request.set_threads(pool_.threads());
  ABSL_ASSIGN_OR_RETURN(const v1::ExecuteEvent event, child->Execute(request, [](double) {}));
  if (event.has_error()) return FromProto(event.error());
  result = event.result();
  return result.peak_memory_bytes();
}

template <typename Proto>
absl::StatusOr<Proto> LocalJobs::Read(const v1::TaskResult& result, const std::string& output) const {
  const v1::Digest* digest = FindOutput(result, output);
  if (digest == nullptr) return absl::InternalError("no output " + output);
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(BlobPath(*digest)));
  Proto proto;
  if (!proto.ParseFromString(bytes)) return absl::InternalError("output " + output + " does not parse");
  return proto;
}

absl::StatusOr<LocalJobs::Result> LocalJobs::Run(const v1::Model& model, v1::JobSpec spec, const v1::Recipe& recipe) {
  spec.set_model(model.name());
  spec.set_recipe("recipes/" + recipe.name());
  ABSL_ASSIGN_OR_RETURN(const server::ResolvedJob job,
                        server::Resolve(spec, std::make_shared<v1::Model>(model), info_, recipe));
  server::Facts facts;
  server::GoalFacts& goal = facts.goal(0);
  Result result;
  const double start = Now();
  std::map<std::string, v1::TaskResult> done;  // by key
  for (bool complete = false; !complete;) {
    ABSL_ASSIGN_OR_RETURN(const server::Expansion expansion, server::Expand(job, facts));
    for (const server::TaskNode& node : expansion.nodes) {
      if (done.contains(node.key)) continue;
      v1::TaskSpec task = node.spec;
      for (const server::TaskNode::Link& link : node.links) {
        const v1::Digest* digest = FindOutput(done.at(link.from), link.output);
        if (digest == nullptr) return absl::InternalError(node.key + " wants " + link.from + "/" + link.output);
        v1::TaskInput& input = *task.add_inputs();
        input.set_name(link.input);
        *input.mutable_digest() = *digest;
      }
      std::sort(task.mutable_inputs()->begin(), task.mutable_inputs()->end(),
                [](const auto& a, const auto& b) { return a.name() < b.name(); });
      if (node.numeric) task.set_compute_class(ComputeClass());
      StageTime& stage = result.stages[task.kind()];
      ABSL_ASSIGN_OR_RETURN(const v1::TaskResult& finished, RunOne(task, node.memory.On(pool_.threads()), stage));
      done[node.key] = finished;
      if (node.key == "tokenize[calibration]") {
        ABSL_ASSIGN_OR_RETURN(result.calibration, Read<v1::TokenizeSummary>(finished, "summary"));
        facts.calibration = result.calibration;
      } else if (const auto text = server::EvaluationTextOf(node.key)) {
        ABSL_ASSIGN_OR_RETURN(v1::TokenizeSummary summary, Read<v1::TokenizeSummary>(finished, "summary"));
        server::LearnEvaluation(*text, std::move(summary), facts);
      } else if (const auto file = server::QuestionsOf(node.key)) {
        ABSL_ASSIGN_OR_RETURN(v1::QuestionsSummary summary, Read<v1::QuestionsSummary>(finished, "summary"));
        server::LearnQuestions(*file, std::move(summary), facts);
      } else if (node.key == "allocate") {
        ABSL_ASSIGN_OR_RETURN(v1::Allocation allocation, Read<v1::Allocation>(finished, "allocation"));
        goal.allocation = std::make_shared<v1::Allocation>(std::move(allocation));
      } else if (node.spec.has_probe()) {
        ABSL_ASSIGN_OR_RETURN(goal.probes.emplace_back(), Read<v1::Probe>(finished, "probe"));
      } else if (node.key == "choose") {
        ABSL_ASSIGN_OR_RETURN(goal.choice, Read<v1::Choice>(finished, "choice"));
      } else if (node.key == "select") {
        ABSL_ASSIGN_OR_RETURN(goal.selection, Read<v1::Selection>(finished, "selection"));
      } else if (node.key == "assemble") {
        v1::Provenance provenance;  // without a server there is little to tell
        provenance.add_tasks()->set_label(node.key);
        const std::string bytes = provenance.SerializeAsString();
        goal.provenance = ToProto(DigestOf(bytes));
        std::ofstream(BlobPath(*goal.provenance)) << bytes;
      } else if (node.key == "report") {
        ABSL_ASSIGN_OR_RETURN(result.report, Read<v1::Report>(finished, "report"));
      }
    }
    complete = expansion.complete;
  }
  result.seconds = Now() - start;
  return result;
}

absl::Status LocalJobs::Export(const v1::Manifest& manifest, const std::string& out) const {
  for (const auto& file : manifest.files()) {
    const std::filesystem::path to = out + "/" + file.path();
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy_file(BlobPath(file.digest()), to, std::filesystem::copy_options::overwrite_existing);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Recipe> ShippedRecipe(const std::string& name) {
  for (const std::string_view text : ShippedRecipes()) {
    v1::Recipe recipe;
    if (!google::protobuf::TextFormat::ParseFromString(std::string(text), &recipe)) {
      return absl::InternalError("a shipped recipe does not parse");
    }
    if (recipe.name() == name) return recipe;
  }
  return absl::NotFoundError("no recipe " + name);
}

}  // namespace bitwright::worker
