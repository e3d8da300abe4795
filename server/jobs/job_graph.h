#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/contract/live_set.h"

namespace bitwright::server {

// One task of a job, before its inputs are known. The spec becomes concrete when every link's source has finished:
// then each link adds an input, inputs are sorted by name, and the digest can be taken.
struct TaskNode {
  std::string key;    // unique within the job and stable: "evaluate[1,3]"; also the label in the report
  v1::TaskSpec spec;  // kind, params and fixed inputs; compute_class and code_version are empty until leased
  struct Link {
    std::string input;   // name of the input that it becomes
    std::string from;    // key of another node
    std::string output;  // that node's output
  };
  std::vector<Link> links;
  LiveSet memory;         // estimate of the child's peak
  double cost_flops = 0;  // estimate, for "longest first" among equals and for preflight
  bool numeric = false;   // results depend on the instruction set: the spec carries a compute class
  bool small = false;     // of seconds and little memory: never waits behind long ones
};

// What is known of one goal of a job so far.
struct GoalFacts {
  std::shared_ptr<const v1::Allocation> allocation;  // output "allocation" of allocate; large, so that copies share it
  std::vector<v1::Probe> probes;                     // output "probe" of probe[round], round after round
  std::optional<v1::Choice> choice;                  // output "choice" of choose, where windows were held out
  std::optional<v1::Selection> selection;            // output "selection" of select
  std::optional<v1::Manifest> artifact;              // output "manifest" of assemble
  std::optional<v1::Digest> provenance;              // the blob of it, made by the server once all of that has finished
};

// What is known of a job so far. All come from outputs of its own tasks, so a restart rebuilds them.
struct Facts {
  std::optional<v1::TokenizeSummary> calibration;  // output "summary" of tokenize[calibration]
  // Output "summary" of each evaluation text's tokenization; as many as are known, those in between empty.
  std::vector<std::optional<v1::TokenizeSummary>> evaluation;
  std::vector<std::optional<v1::QuestionsSummary>> questions;  // likewise, output "summary" of questions[f]
  std::deque<GoalFacts> goals;  // as many as anything is known of; more of them move none

  const GoalFacts& goal(int index) const;
  GoalFacts& goal(int index);
};

// What is known of a model so far, likewise.
struct ModelFacts {
  std::optional<v1::ModelInfo> given;     // output "info" of inspect: of the files as they were given
  std::optional<v1::Manifest> rewritten;  // output "manifest" of import, where those are in another form
  std::optional<v1::ModelInfo> imported;  // output "info" of inspect[imported]

  bool NeedsImport() const { return given && given->has_imported(); }
  // Of the files that jobs compute with; null as long as it is not known.
  const v1::ModelInfo* info() const {
    const std::optional<v1::ModelInfo>& last = NeedsImport() ? imported : given;
    return last ? &*last : nullptr;
  }
};

// The files that jobs compute with.
inline const v1::Manifest& ComputedFiles(const v1::Model& model) {
  return model.has_imported() ? model.imported() : model.manifest();
}

// What a spec is resolved for: to run, or to be looked at before anything is decided.
enum class Purpose { kRun, kPreflight };

// One artifact that a job is to make.
struct ResolvedGoal {
  v1::Goal goal;      // target and budget not empty
  v1::Recipe recipe;  // that of the job, with those formats and plans alone that the goal's consumer loads
};

// A job ready to be cut into tasks: names resolved, defaults filled in.
struct ResolvedJob {
  v1::JobSpec spec;                        // data defaults filled in (window, tokens), targets not empty
  v1::Recipe recipe;                       // defaults filled in
  std::vector<ResolvedGoal> goals;         // one at least
  std::shared_ptr<const v1::Model> model;  // READY, with info and manifest; shared by all jobs of it
  v1::Digest info;                         // the blob that holds model.info (output "info" of its inspect task)

  // Of all texts of a use; there is one at least.
  int calibration_window() const { return spec.calibration(0).window(); }
  int evaluation_window() const { return spec.evaluation(0).window(); }

  // What the model can become for a goal's target; within the model. Null of a job that an earlier version queued.
  const v1::TargetInfo* target(int goal = 0) const;
};

// That of the target named, unless it refuses the model, or nothing is known of it: then null.
const v1::TargetInfo* StoringTarget(const v1::ModelInfo& info, std::string_view target);

// What a task of no operations counts for: its start and the handling of its files.
inline constexpr double kTaskOverheadFlops = 2e9;
inline double WeightOf(const TaskNode& node) { return node.cost_flops + kTaskOverheadFlops; }

// What a whole job will cost: the weights of its tasks by kind, those that are not known yet included.
struct CostForecast {
  std::map<std::string, double> weights;  // by TaskSpec.kind
  double total = 0;
};

// Nodes in topological order, as far as the facts lead. `complete`: no further ones will come.
struct Expansion {
  std::vector<TaskNode> nodes;
  bool complete = false;
};

}  // namespace bitwright::server
