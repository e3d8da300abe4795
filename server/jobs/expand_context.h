#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bitwright/v1/models.pb.h"
#include "server/jobs/cuts.h"
#include "server/jobs/job_graph.h"
#include "server/jobs/node_builder.h"

namespace bitwright::server {

// What all nodes of one job are made from, and where they go. Keeps references to job and facts.
class ExpandContext {
 public:
  ExpandContext(const ResolvedJob& the_job, const Facts& the_facts, const GraphDetail& wanted)
      : job(the_job),
        facts(the_facts),
        info(the_job.model->info()),
        inputs(wanted.nodes == NodeDetail::kSize ? v1::Model::default_instance() : *the_job.model),
        detail_(wanted.nodes),
        known_(wanted.known) {}

  // The next node. `fill` is given its builder, unless it is one of those that are there already.
  template <typename Fill>
  void Add(const std::string& key, const Fill& fill) {
    if (nodes_.size() < known_) {
      nodes_.emplace_back().key = key;
      return;
    }
    NodeBuilder builder(key, detail_);
    fill(builder);
    nodes_.push_back(builder.Build());
  }

  // Whether specs are wanted whole; otherwise only what the size of a node follows from.
  bool whole() const { return detail_ == NodeDetail::kWhole; }

  std::vector<TaskNode> Take() { return std::move(nodes_); }

  const ResolvedJob& job;
  const Facts& facts;
  const v1::ModelInfo& info;
  const ModelInputs inputs;
  Cuts cuts;                       // once all texts are tokenized
  int64_t evaluation_windows = 0;  // of all texts, likewise

 private:
  const NodeDetail detail_;
  const size_t known_;
  std::vector<TaskNode> nodes_;
};

inline void SetRange(Cut cut, v1::Range* range) {
  range->set_begin(cut.begin);
  range->set_end(cut.end);
}

}  // namespace bitwright::server
