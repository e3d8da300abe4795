#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/base/thread_pool.h"
#include "workers/checkpoint/checkpoint.h"
#include "workers/families/config.h"
#include "workers/kernels/device.h"

namespace bitwright::worker {

// The type of the matrix products of a forward pass; everything between them is f32 in both.
enum class Compute { kF32, kBf16 };

// A norm, and a matrix [out, in] with its bias, on a device; bias may be none. Weights of norms are as they multiply.
struct WeightsWithBias {
  DeviceMatrix weight;
  DeviceMatrix bias;      // [1, out]
  SiteFormat input = {};  // of a unit: how consumers round what is multiplied with it
};

// One decoder block on a device: with the head, the only weights that are live.
struct BlockWeights {
  BlockProgram program;
  std::vector<WeightsWithBias> matrices;  // f32, or bf16 for Compute::kBf16: of units, then of kept (always f32)
  std::vector<WeightsWithBias> norms;
};

// Fills a unit's weight [out, in] f32, and gives the format of its input. The default widens the checkpoint and rounds
// no input; a quantized model dequantizes instead.
using UnitSource = std::function<absl::StatusOr<SiteFormat>(const UnitSpec& unit, const Matrix& weight)>;

// An end of a quantized model, in place of the checkpoint's: fills rows of a table [vocab, hidden], f32.
struct TableSource {
  std::function<void(int64_t first, const Matrix& to)> rows;                    // [first, first + to.rows)
  std::function<void(std::span<const int32_t> ids, const Matrix& to)> rows_of;  // one for each id
};

// A checkpoint that fits its configuration: every required tensor is there with the right shape and a weight type.
// Thread-safe.
//
// Where config.json ties head and embedding, the checkpoint decides as it does for transformers: they are one tensor if
// one of the two is there or both are equal, and two if both are there and differ. config().tied_embeddings says what
// is.
//
// Weights are mapped, read once where they are loaded, and then given back (MappedFile::Release): what a model takes of
// this process's memory does not grow with the number of its blocks.
class Model {
 public:
  // INVALID_ARGUMENT: faults of the files, TENSOR_MISSING, TENSOR_SHAPE_WRONG, TENSOR_DTYPE_WRONG.
  // TASK_SPEC_INVALID: headers, or what a tie is decided by, are not among the pieces of the files. Whether the weights
  // are, CheckParts tells (pieces.h).
  static absl::StatusOr<Model> Open(const ModelFiles& files);

  const ModelConfig& config() const { return config_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  bool tied_by_config() const { return tied_by_config_; }
  // Embedding and head are to be tied, and the checkpoint holds both: what they hold decides.
  bool compares_ends() const { return compares_ends_; }

  // The tensors that the forward pass reads, by name.
  const std::set<std::string>& used() const { return used_; }
  const std::string& embedding() const { return embedding_; }
  const std::string& head() const { return head_; }

  // Loads block `block`; weights of units come from `source`, or from the checkpoint without one.
  absl::StatusOr<BlockWeights> LoadBlock(int64_t block, Compute compute, Device& device,
                                         const UnitSource& source = nullptr) const;

  // Has the weights of a block's units read from the disk while others are computed with; a block that there is not: no
  // effect.
  void Prefetch(int64_t block) const;

  // A unit's weight as the checkpoint has it, f32 [out, in]. Also the default UnitSource.
  void LoadUnit(const UnitSpec& unit, Device& device, const Matrix& weight) const;

  // Element type of the linears of a unit (that of its first linear).
  DType UnitType(const UnitSpec& unit) const;

  // The residual stream that enters the first block: x [ids, hidden], ids each in [0, vocab), windows of `window`; rows
  // of tokens from `tokens`, or from the checkpoint without it.
  void Embed(std::span<const int32_t> ids, int64_t window, Device& device, const Matrix& x,
             const TableSource* tokens = nullptr) const;

  // The final norm, in place: x [rows, hidden].
  void FinalNorm(Device& device, const Matrix& x) const;

  // Backwards: x is what the norm reads; d, the gradient with respect to what it writes, becomes that with respect to
  // x.
  void FinalNormBack(Device& device, const Matrix& x, const Matrix& d, const NormGradients& gradients = {}) const;

  // Rows [first, first + out.rows) of the output head [vocab, hidden] (the embedding when tied) to out.
  void HeadRows(int64_t first, Device& device, const Matrix& out) const;
  // Of the embedding [vocab, hidden], before its factor.
  void EmbeddingRows(int64_t first, Device& device, const Matrix& out) const;

 private:
  Model(ModelConfig config, Checkpoint checkpoint)
      : config_(std::move(config)),
        checkpoint_(std::move(checkpoint)),
        tied_by_config_(config_.tied_embeddings),
        embedding_(config_.embedding.tokens),
        head_(config_.head.weight) {}
  absl::Status DecideTies();
  absl::Status CheckTensors();
  const TensorView& View(const std::string& name) const;
  // A tensor's elements from `first` on, and rows of a tensor, of which little is mapped at any time.
  void Load(const std::string& name, int64_t first, Device& device, const Matrix& to) const;
  void LoadTable(const std::string& name, std::span<const int32_t> rows, float factor, bool add, Device& device,
                 const Matrix& to) const;
  void ReleaseAll(const std::string& name) const;
  WeightsWithBias LoadNorm(const NormSpec& norm, Device& device) const;
  WeightsWithBias LoadMatrix(const UnitSpec& unit, Device& device) const;

  ModelConfig config_;
  Checkpoint checkpoint_;
  bool tied_by_config_;
  bool compares_ends_ = false;
  std::string embedding_;  // tensors, which may be one
  std::string head_;
  std::set<std::string> used_;
};

// The same matrix in bf16.
DeviceMatrix Narrowed(const DeviceMatrix& wide, Device& device);

// The parts of a norm, as Device::Norm takes them.
NormParts PartsOf(const NormSpec& norm, const WeightsWithBias& weights);

}  // namespace bitwright::worker
