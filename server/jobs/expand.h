#pragma once

#include "absl/status/statusor.h"
#include "server/jobs/job_graph.h"
#include "server/jobs/node_builder.h"

namespace bitwright::server {

// Cuts a job into tasks: everything that follows from the facts, in topological order. Pure, and monotone: with more
// facts the same nodes come first, unchanged, and more may follow. Never looks at the fleet.
//   no facts        tokenize[calibration], tokenize[evaluation], of further texts tokenize[evaluation,t], of files of
//                   questions questions[f]
//   all summaries   … reference[i], calibrate[i,j] (and merge[j]), reference[profile,i,j], curvature[i,j], profile[j],
//                   check[j], allocate
//   allocation      … quantize[j]; where there is more than one plan and windows are held out, reference[held-out],
//                   evaluate[held-out,c], choose
//   choice          (or allocation, without choose) … evaluate[c,i] of the plans to be reported, select
//   selection       (and all summaries of questions) … assemble; score[f,a,s] and grade[f,a] of each file of questions,
//                   a = 0 the unquantized model, a = 1 the selected plan; sample[a] where one is asked for
//   provenance      … report: then `complete` is true
// Cuts (fixed by model and data alone, see README.md of this folder):
//   calibrate token shards: as many as keep (shards + merged) statistics within the tensors' bytes, at least 1
//   block ranges: at most 2 GiB of stored block bytes each, larger only where the activations handed from range to
//   range would take more than 0.6 of the tensors' bytes (70 B weights and more); profile: at most about 2 TFLOP each,
//   whole blocks; check: units of one range, as many as take about 2 TFLOP and 1 GiB of activations
//   evaluate, reference and curvature shards: 16 windows, of one text
// INVALID_ARGUMENT, reason DATA_TOO_SHORT: a summary holds no whole window (names the use, the tokens found, the
// window).
absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, const GraphDetail& wanted = {});

}  // namespace bitwright::server
