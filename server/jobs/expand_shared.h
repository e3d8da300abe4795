#pragma once

#include <string>
#include <vector>

#include "proto/contract/live_set.h"
#include "server/jobs/costs.h"
#include "server/jobs/expand_context.h"

namespace bitwright::server {

// The nodes that all goals of a job share, since nothing in them depends on a target: the unquantized model on the
// evaluation text, calibration, curvature, and what was measured of single units. Goals link to them by what is below.
class SharedNodes {
 public:
  // Keeps a reference. Precondition: all texts are tokenized, and cut.
  explicit SharedNodes(ExpandContext& context);

  // reference[i], calibrate[i,j] and merge[j], reference[profile,i,j], curvature[i,j], check[k].
  void Analyze();
  // reference[held-out]: held-out windows of the calibration text, computed in as the evaluation is.
  void HeldOutReference();

  // score[f,0,s], grade[f,0] and sample[0]: what the unquantized model answers.
  void Answer(const std::vector<v1::QuestionsSummary>& files);

  // Of the blocks of one range.
  void LinkStatistics(NodeBuilder& builder, int range) const;
  // What enters a range: the stream of those windows of the calibration text that stand for it.
  void LinkEntering(NodeBuilder& builder, int shard, int range) const;
  // The same, and the curvature of those blocks.
  void LinkMoments(NodeBuilder& builder, int range) const;
  // What the curvature tells of the ends: of the first blocks, and where they are others, of the last.
  void LinkEnds(NodeBuilder& builder) const;
  void LinkChecks(NodeBuilder& builder) const;
  // Windows of the calibration text that stand for it, on their way through blocks.
  template <typename Params>
  void SetProfileWindows(int shard, Params& params) const {
    SetRange(context_.cuts.curvature[static_cast<size_t>(shard)], params.mutable_windows());
    params.set_stride(context_.cuts.profile_stride);
    params.set_window(window_);
  }
  static std::string ProfileReferenceKey(int shard, int range);
  int last_range() const { return static_cast<int>(context_.cuts.ranges.size()) - 1; }

 private:
  void Reference(const std::string& key, const EvaluationCut& cut);
  void ProfileReference(int shard, int range);
  void Curvature(int shard, int range);
  void Calibrate(int shard, int range);
  void Merge(int range);
  void Check(int index);
  bool Merges() const { return context_.cuts.shards.size() > 1; }
  bool Factorizes() const;
  v1::Factoring Factoring() const;

  ExpandContext& context_;
  const int window_;  // of calibration
  const Costs costs_;
  const Costs evaluation_costs_;
  const LiveSets live_;
};

}  // namespace bitwright::server
