#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "tests/support/fixtures.h"
#include "workers/checkpoint/model_files.h"
#include "workers/tasks/run_task.h"

namespace bitwright::worker {

// Name of an input or output → its bytes.
using Blobs = std::map<std::string, std::string>;

// Runs one task on inputs given as bytes, in a folder of its own; the outputs' bytes. With `pieces_of`, of weights only
// those pieces are there that a task of this kind reads. Where the spec names a compute class, it computes on what
// `make_device` makes; none: the processor.
absl::StatusOr<Blobs> RunOnBlobs(v1::TaskSpec spec, const Blobs& inputs, int threads = 2,
                                 const v1::ModelInfo* pieces_of = nullptr,
                                 const MakeDeviceFunction& make_device = nullptr);

// One task of the chain with all that it takes.
struct ChainTask {
  v1::TaskSpec spec;
  Blobs inputs;
};

// Every kind of task once, in order, on a small model and 4 windows of 16 tokens: the whole job in its smallest form.
// The plan is the mixed one at 4 bits.
struct Chain {
  std::vector<ChainTask> tasks;
  Blobs outputs;  // by OutputOf
};

// Where Chain::outputs holds an output of the task of this kind: "kind/output".
std::string OutputOf(const std::string& kind, const std::string& output);

// Ends the test program when a task fails. With a target that stores the ends of a model, the tasks of these come
// behind those of the blocks, under EndsOf(kind).
Chain RunChain(int threads, const std::string& target = "compressed-tensors");

// An output of the chain, by OutputOf.
template <typename Proto>
Proto OutputIn(const Chain& chain, const std::string& name) {
  Proto proto;
  EXPECT_TRUE(proto.ParseFromString(chain.outputs.at(name))) << name;
  return proto;
}

// In the place of the kind in OutputOf.
std::string EndsOf(const std::string& kind);

// Bytes of the files of SmallModel::Make(), by ModelFileName.
Blobs SmallModelBlobs();

}  // namespace bitwright::worker
