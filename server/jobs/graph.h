#pragma once

#include <cstdint>
#include <map>
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
  int64_t memory_bytes = 0;  // estimate of the child's peak
  double cost_flops = 0;     // estimate, for "longest first" among equals and for preflight
  bool numeric = false;      // results depend on the instruction set: the spec carries a compute class
};

// What is known of a job so far. All come from outputs of its own tasks, so a restart rebuilds them.
struct Facts {
  std::optional<v1::TokenizeSummary> calibration;  // output "summary" of tokenize[calibration]
  std::optional<v1::TokenizeSummary> evaluation;   // output "summary" of tokenize[evaluation]
  std::optional<v1::Allocation> allocation;        // output "allocation" of allocate
  std::optional<v1::Selection> selection;          // output "selection" of select
  std::optional<v1::Provenance> provenance;        // made by the server when assemble has finished
};

// A job ready to be cut into tasks: names resolved, defaults filled in.
struct ResolvedJob {
  v1::JobSpec spec;   // data defaults filled in (window, tokens), target not empty
  v1::Recipe recipe;  // defaults filled in
  v1::Model model;    // READY, with info and manifest
  v1::Digest info;    // the blob that holds model.info (output "info" of its inspect task)
};

// Cuts a job into tasks: everything that follows from the facts, in topological order. Pure, and monotone: with more
// facts the same nodes come first, unchanged, and more may follow. Never looks at the fleet.
//   no facts        tokenize[calibration], tokenize[evaluation]
//   both summaries  … reference[i], calibrate[i,j] (and merge[j]), reference[profile], profile[j], allocate
//   allocation      … quantize[c,j], evaluate[c,i], select
//   selection       … assemble
//   provenance      … report: then `complete` is true
// Cuts (fixed by model and data alone, see README.md of this folder):
//   calibrate token shards: as many as keep (shards + merged) statistics within the model's bytes, at least 1
//   block ranges: at most 2 GiB of stored block bytes each, larger only where the activations handed from range to
//   range would take more than 0.6 of the model's bytes (70 B weights and more); profile: at most about 2 TFLOP each,
//   whole blocks
//   evaluate and reference shards: 16 windows
// INVALID_ARGUMENT, reason DATA_TOO_SHORT: a summary holds no whole window (names the use, the tokens found, the
// window).
struct Expansion {
  std::vector<TaskNode> nodes;
  bool complete = false;
};
absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts);

// SHA-256 over the deterministic serialization of a concrete spec; the key of the action cache.
std::string TaskDigest(const v1::TaskSpec& spec);

// The inspect task of a model. Key "inspect".
TaskNode InspectNode(const v1::Manifest& manifest, const std::string& target);

// Fills defaults in and checks a spec against its model and recipe; everything that can be refused before any task
// runs. Errors as in JobService.CreateJob.
absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, const v1::Model& model, const v1::Digest& info,
                                    const std::optional<v1::Recipe>& named_recipe);

// Preflight: from sizes alone. `flops_per_second` is of the worker that would run it.
v1::Estimate EstimateJob(const ResolvedJob& job, double flops_per_second);

}  // namespace bitwright::server
