#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "bitwright/v1/blobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "server/jobs/job_graph.h"

namespace bitwright::server {

// Which files of a model a task reads. Never others than ModelInfo.files: what else the manifest names changes no task.
enum class ModelFiles {
  kNone,
  kAll,
  kNumeric,    // config.json, weights and their index: files that no artifact takes over
  kTokenizer,  // info.tokenizer_path
  kChat,       // the tokenizer, and what chat templates are in
  kCarried,    // config.json, and what an artifact takes over
};

// The files of a model as inputs of tasks; made once for all nodes of a job.
class ModelInputs {
 public:
  // Keeps a reference to the model.
  explicit ModelInputs(const v1::Model& model);
  // In order of the manifest.
  const std::vector<v1::TaskInput>& Of(ModelFiles which) const { return by_use_[static_cast<size_t>(which)]; }
  // Adds to the inputs that are weights the pieces that the task of these params reads.
  void NamePieces(v1::TaskSpec& spec) const;

 private:
  static constexpr size_t kUses = 6;
  std::array<std::vector<v1::TaskInput>, kUses> by_use_;
  const v1::ModelInfo& info_;
};

// How much of a node is wanted: all of it, or what its size follows from (key, kind, memory, operations), without
// inputs and links.
enum class NodeDetail { kWhole, kSize };

// What of a job's graph is wanted.
struct GraphDetail {
  NodeDetail nodes = NodeDetail::kWhole;
  size_t known = 0;  // so many nodes, from the first, are there already: they are made of their keys alone
};

// Builds one node: names its inputs, sorts the fixed ones, fills the spec's kind in from the params that were set, and
// says whether tasks of that kind are small.
class NodeBuilder {
 public:
  explicit NodeBuilder(std::string key, NodeDetail detail = NodeDetail::kWhole) : detail_(detail) {
    node_.key = std::move(key);
  }

  v1::TaskSpec& spec() { return node_.spec; }
  // `model` must outlive the builder. Of weights those pieces that the task reads.
  NodeBuilder& Files(const ModelInputs& model, ModelFiles which);
  NodeBuilder& Files(const v1::Manifest& manifest);  // every file
  NodeBuilder& Input(std::string name, const v1::Digest& digest);
  NodeBuilder& Link(std::string input, std::string from, std::string output);
  NodeBuilder& Needs(LiveSet memory, double flops);
  NodeBuilder& Numeric();

  // Call once.
  TaskNode Build();

 private:
  const NodeDetail detail_;
  const ModelInputs* model_ = nullptr;  // whose files are inputs
  TaskNode node_;
};

}  // namespace bitwright::server
