#pragma once

#include <string>

#include "bitwright/v1/blobs.pb.h"
#include "bitwright/v1/models.pb.h"
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

// Builds one node: names its inputs, sorts the fixed ones, fills the spec's kind in from the params that were set, and
// says whether tasks of that kind are small.
class NodeBuilder {
 public:
  explicit NodeBuilder(std::string key) { node_.key = std::move(key); }

  v1::TaskSpec& spec() { return node_.spec; }
  NodeBuilder& Files(const v1::Model& model, ModelFiles which);
  NodeBuilder& Files(const v1::Manifest& manifest);  // every file
  NodeBuilder& Input(std::string name, const v1::Digest& digest);
  NodeBuilder& Link(std::string input, std::string from, std::string output);
  NodeBuilder& Needs(int64_t memory_bytes, double flops);
  NodeBuilder& Numeric();

  // Call once.
  TaskNode Build();

 private:
  TaskNode node_;
};

}  // namespace bitwright::server
