#pragma once

#include <array>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/base/thread_pool.h"
#include "workers/checkpoint/checkpoint.h"
#include "workers/model/architecture.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

// The type of the matrix products of a forward pass; everything between them is f32 in both.
enum class Compute { kF32, kBf16 };

// A unit's linears, stacked by rows: y = x Wᵀ + bias.
struct UnitWeights {
  int64_t out = 0;
  int64_t in = 0;
  Buffer<float> weight;          // [out, in]
  Buffer<uint16_t> weight_bf16;  // [out, in], only for Compute::kBf16
  Buffer<float> bias;            // [out], or empty
};

// One decoder block, widened to f32. The only weights that are live besides the embedding row and the head.
struct BlockWeights {
  std::array<UnitWeights, kTapPoints> units;
  Buffer<float> attention_norm, mlp_norm;  // [hidden]
  Buffer<float> q_norm, k_norm;            // [head_dim], or empty
  int64_t window = 0;                      // tokens that a query sees; 0: all before it
};

// Fills a unit's weight [out, in] f32. The default widens the checkpoint; a quantized model dequantizes instead.
using UnitSource = std::function<absl::Status(const UnitSpec& unit, float* weight)>;

// A checkpoint that fits its configuration: every required tensor is there with the right shape and a weight type.
// Thread-safe.
//
// Where config.json ties head and embedding, the checkpoint decides as it does for transformers: they are one tensor if
// one of the two is there or both are equal, and two if both are there and differ. config().tied_embeddings says what
// is.
class Model {
 public:
  // INVALID_ARGUMENT: faults of the files, TENSOR_MISSING, TENSOR_SHAPE_WRONG, TENSOR_DTYPE_WRONG.
  static absl::StatusOr<Model> Open(const ModelFiles& files);

  const ModelConfig& config() const { return config_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  bool tied_by_config() const { return tied_by_config_; }

  // The tensors that the forward pass reads, by name.
  const std::set<std::string>& used() const { return used_; }
  const std::string& embedding() const { return embedding_; }

  // Checks every element of every tensor in use. TENSOR_NOT_FINITE.
  absl::Status CheckFinite(ThreadPool& pool) const;

  // Loads block `block`; weights of units come from `source`, or from the checkpoint without one.
  absl::StatusOr<BlockWeights> LoadBlock(int64_t block, Compute compute, ThreadPool& pool,
                                         const UnitSource& source = nullptr) const;

  // A unit's weight as the checkpoint has it, f32 [out, in]. Also the default UnitSource.
  absl::Status LoadUnit(const UnitSpec& unit, ThreadPool& pool, float* weight) const;

  // Element type of the linears of a unit (that of its first linear).
  DType UnitType(const UnitSpec& unit) const;

  // Embedding rows of ids (each in [0, vocab)) to out [ids, hidden].
  void Embed(std::span<const int32_t> ids, float* out) const;

  // Weight of the final norm [hidden].
  Buffer<float> FinalNorm() const;

  // Rows [first, first + count) of the output head [vocab, hidden] (the embedding when tied) to out.
  void HeadRows(int64_t first, int64_t count, float* out) const;
  Buffer<float> Head(ThreadPool& pool) const;  // all rows

 private:
  Model(ModelConfig config, Checkpoint checkpoint)
      : config_(std::move(config)), checkpoint_(std::move(checkpoint)), tied_by_config_(config_.tied_embeddings) {}
  void DecideTies();
  absl::Status CheckTensors();
  const TensorView& View(const std::string& name) const;
  Buffer<float> LoadVector(const std::string& name) const;

  ModelConfig config_;
  Checkpoint checkpoint_;
  bool tied_by_config_;
  std::string embedding_ = kEmbedding;
  std::string head_ = kHead;
  std::set<std::string> used_;
};

// Fills weight_bf16 from weight when compute is kBf16.
void PrepareUnit(UnitWeights& unit, Compute compute, ThreadPool& pool);

}  // namespace bitwright::worker
