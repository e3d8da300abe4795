#include "workers/model/weights.h"

#include <algorithm>
#include <atomic>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/kernels/elementwise.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kPieceElements = 1 << 18;  // of one piece of parallel work

void WidenParallel(const TensorView& view, ThreadPool& pool, float* out) {
  const int64_t count = view.elements();
  pool.ParallelFor((count + kPieceElements - 1) / kPieceElements, [&](int64_t piece, int) {
    const int64_t first = piece * kPieceElements;
    ToFloat(view, first, std::min(kPieceElements, count - first), out + first);
  });
}

bool SameValues(const TensorView& a, const TensorView& b) {
  if (a.shape != b.shape) return false;
  if (a.dtype == b.dtype) return std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
  if (!IsWeightType(a.dtype) || !IsWeightType(b.dtype)) return false;
  std::vector<float> left(static_cast<size_t>(kPieceElements)), right(left.size());
  for (int64_t first = 0; first < a.elements(); first += kPieceElements) {
    const int64_t count = std::min(kPieceElements, a.elements() - first);
    ToFloat(a, first, count, left.data());
    ToFloat(b, first, count, right.data());
    if (!std::equal(left.begin(), left.begin() + count, right.begin())) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<Model> Model::Open(const ModelFiles& files) {
  const auto config_file = files.find("config.json");
  if (config_file == files.end()) return ModelFileMissingError("config.json", "it describes the model");
  ABSL_ASSIGN_OR_RETURN(const auto config_text, MappedFile::Open(config_file->second));
  ABSL_ASSIGN_OR_RETURN(ModelConfig config, ParseModelConfig(config_text->text()));
  ABSL_ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::Open(files));
  Model model(std::move(config), std::move(checkpoint));
  model.DecideTies();
  ABSL_RETURN_IF_ERROR(model.CheckTensors());
  return model;
}

void Model::DecideTies() {
  if (!config_.tied_embeddings) return;
  const auto& tensors = checkpoint_.tensors();
  const auto embedding = tensors.find(kEmbedding);
  const auto head = tensors.find(kHead);
  const bool has_embedding = embedding != tensors.end(), has_head = head != tensors.end();
  if (has_embedding && has_head && !SameValues(embedding->second.view, head->second.view)) {
    config_.tied_embeddings = false;
  } else if (has_head && !has_embedding) {
    embedding_ = kHead;
  } else {
    head_ = kEmbedding;
  }
}

absl::Status Model::CheckTensors() {
  for (const TensorSpec& spec : RequiredTensors(config_)) {
    const std::string& name = spec.name == kEmbedding ? embedding_ : spec.name;
    ABSL_ASSIGN_OR_RETURN(const Checkpoint::Located found, checkpoint_.Find(name, spec.role));
    if (found.view.shape != spec.shape) {
      return TensorShapeWrongError(found.file, name, ShapeText(found.view.shape), ShapeText(spec.shape));
    }
    if (!IsWeightType(found.view.dtype)) return TensorTypeWrongError(found.file, name, DTypeName(found.view.dtype));
    used_.insert(name);
  }
  return absl::OkStatus();
}

const TensorView& Model::View(const std::string& name) const {
  const auto found = checkpoint_.tensors().find(name);
  CHECK(found != checkpoint_.tensors().end()) << name;  // Open has checked
  return found->second.view;
}

absl::Status Model::CheckFinite(ThreadPool& pool) const {
  std::vector<const std::pair<const std::string, Checkpoint::Located>*> all;
  for (const auto& entry : checkpoint_.tensors()) {
    if (used_.contains(entry.first)) all.push_back(&entry);
  }
  std::vector<int64_t> bad(all.size(), -1);
  pool.ParallelFor(static_cast<int64_t>(all.size()), [&](int64_t i, int) {
    bad[static_cast<size_t>(i)] = FirstNonFinite(all[static_cast<size_t>(i)]->second.view);
  });
  for (size_t i = 0; i < all.size(); ++i) {
    if (bad[i] >= 0) return TensorNotFiniteError(all[i]->second.file, all[i]->first, bad[i]);
  }
  return absl::OkStatus();
}

Buffer<float> Model::LoadVector(const std::string& name) const {
  const TensorView& view = View(name);
  Buffer<float> vector(view.elements());
  ToFloat(view, vector.span());
  return vector;
}

absl::Status Model::LoadUnit(const UnitSpec& unit, ThreadPool& pool, float* weight) const {
  for (const LinearSpec& linear : unit.linears) {
    WidenParallel(View(linear.name + ".weight"), pool, weight);
    weight += linear.out * linear.in;
  }
  return absl::OkStatus();
}

DType Model::UnitType(const UnitSpec& unit) const { return View(unit.linears.front().name + ".weight").dtype; }

absl::StatusOr<BlockWeights> Model::LoadBlock(int64_t block, Compute compute, ThreadPool& pool,
                                              const UnitSource& source) const {
  const BlockSpec spec = DescribeBlock(config_, block);
  BlockWeights weights;
  weights.window = config_.window[static_cast<size_t>(block)];
  weights.attention_norm = LoadVector(spec.attention_norm);
  weights.mlp_norm = LoadVector(spec.mlp_norm);
  if (config_.qk_norm) {
    weights.q_norm = LoadVector(spec.q_norm);
    weights.k_norm = LoadVector(spec.k_norm);
  }
  for (size_t u = 0; u < spec.units.size(); ++u) {
    const UnitSpec& unit = spec.units[u];
    UnitWeights& to = weights.units[u];
    to.out = unit.out();
    to.in = unit.in();
    to.weight = Buffer<float>(unit.weights());
    ABSL_RETURN_IF_ERROR(source ? source(unit, to.weight.data()) : LoadUnit(unit, pool, to.weight.data()));
    if (unit.bias()) {
      to.bias = Buffer<float>(to.out);
      float* at = to.bias.data();
      for (const LinearSpec& linear : unit.linears) {
        ToFloat(View(linear.name + ".bias"), 0, linear.out, at);
        at += linear.out;
      }
    }
    PrepareUnit(to, compute, pool);
  }
  return weights;
}

void Model::Embed(std::span<const int32_t> ids, float* out) const {
  const TensorView& table = View(embedding_);
  for (const int32_t id : ids) {
    ToFloat(table, id * config_.hidden, config_.hidden, out);
    out += config_.hidden;
  }
}

Buffer<float> Model::FinalNorm() const { return LoadVector(kFinalNorm); }

void Model::HeadRows(int64_t first, int64_t count, float* out) const {
  const TensorView& view = View(head_);
  ToFloat(view, first * config_.hidden, count * config_.hidden, out);
}

Buffer<float> Model::Head(ThreadPool& pool) const {
  const TensorView& view = View(head_);
  Buffer<float> head(view.elements());
  WidenParallel(view, pool, head.data());
  return head;
}

void PrepareUnit(UnitWeights& unit, Compute compute, ThreadPool& pool) {
  if (compute != Compute::kBf16) return;
  const int64_t count = unit.out * unit.in;
  unit.weight_bf16 = Buffer<uint16_t>(count);
  pool.ParallelFor((count + kPieceElements - 1) / kPieceElements, [&](int64_t piece, int) {
    const int64_t first = piece * kPieceElements;
    NarrowToBf16(unit.weight.data() + first, std::min(kPieceElements, count - first), unit.weight_bf16.data() + first);
  });
}

}  // namespace bitwright::worker
