#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/second_moment.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/model/output_head.h"

namespace bitwright::worker {

// What a pass forward and back tells of the ends of a model, over n tokens; of a part of the blocks one end alone.
//
// An embedding gives each token its own row, so an error ΔE of row t costs ½ p_t · ΔE_t G ΔE_tᵀ nats per token: p_t the
// token's frequency, G = (1/n) Σ g gᵀ, g the gradient with respect to the row that was taken. A head has the input x
// and the gradient g of its logits: H = (1/n) Σ x xᵀ, and of G the diagonal. There the expectation over labels drawn
// from the model is known: E g_v² = p_v (1 − p_v). Drawn labels would hit few rows of a large vocabulary.
struct EndCurvature {
  std::optional<InputStatistics> embedding;  // G [hidden]
  std::optional<InputStatistics> head;       // H [hidden]
  std::vector<float> head_rows;              // diagonal of G [vocab], where there is a head
};

// Collects what concerns the head while the loss is taken back through it.
class HeadCurvature {
 public:
  explicit HeadCurvature(const BlockRunner& runner);
  OutputHead::LogitsTap Tap();
  // Adds it. The object is used up.
  void Finish(EndCurvature& to);

 private:
  void Add(const Matrix& hidden, const Matrix& dlogits);

  const BlockRunner& runner_;
  SecondMoment inputs_;
  std::vector<double> rows_;    // sums
  std::vector<float> scratch_;  // gradients of some rows
};

// The embedding's G from the gradient with respect to the stream that enters the first block.
InputStatistics EmbeddingCurvature(const BlockRunner& runner, const Matrix& entering);

// In a safetensors file: "embedding/G" and "head/H" f32 [n(n+1)/2], "head/G" f32 [vocab], "tokens" i64 [1].
absl::Status WriteEnds(const std::string& path, const EndCurvature& ends, int64_t tokens);

// Several of these as one: each end from those files that have it, weighted by tokens, in f64 and in their order.
// CURVATURE_DAMAGED: none has it, or in another size.
class EndFiles {
 public:
  static absl::StatusOr<EndFiles> Open(const std::vector<std::string>& paths);
  absl::StatusOr<InputStatistics> EmbeddingMoment(int64_t hidden) const;
  absl::StatusOr<InputStatistics> HeadMoment(int64_t hidden) const;
  absl::StatusOr<std::vector<double>> HeadRows(int64_t vocab) const;

 private:
  absl::StatusOr<std::vector<double>> Mean(const std::string& name, int64_t size, double* tokens) const;
  absl::StatusOr<InputStatistics> Moment(const std::string& name, int64_t hidden) const;
  std::vector<SafetensorsFile> files_;
};

}  // namespace bitwright::worker
