#include "workers/model/weights.h"

#include <algorithm>
#include <atomic>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kPieceElements = 1 << 18;  // that are compared at a time

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
  const auto embedding = tensors.find(embedding_);
  const auto head = tensors.find(head_);
  const bool has_embedding = embedding != tensors.end(), has_head = head != tensors.end();
  if (has_embedding && has_head && !SameValues(embedding->second.view, head->second.view)) {
    config_.tied_embeddings = false;
  } else if (has_head && !has_embedding) {
    embedding_ = head_;
  } else {
    head_ = embedding_;
  }
}

absl::Status Model::CheckTensors() {
  for (const TensorSpec& spec : RequiredTensors(config_)) {
    const std::string& name = spec.name == config_.embedding.tokens ? embedding_ : spec.name;
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
    const auto& [name, tensor] = *all[static_cast<size_t>(i)];
    bad[static_cast<size_t>(i)] = FirstNonFinite(tensor.view);
    checkpoint_.Release(name, 0, tensor.view.bytes.size());
  });
  for (size_t i = 0; i < all.size(); ++i) {
    if (bad[i] >= 0) return TensorNotFiniteError(all[i]->second.file, all[i]->first, bad[i]);
  }
  return absl::OkStatus();
}

DType Model::UnitType(const UnitSpec& unit) const { return View(unit.linears.front().name + ".weight").dtype; }

void Model::LoadUnit(const UnitSpec& unit, Device& device, const Matrix& weight) const {
  int64_t row = 0;
  for (const LinearSpec& linear : unit.linears) {
    const std::string name = linear.name + ".weight";
    const TensorView& view = View(name);
    const Matrix rows = weight.Rows(row, linear.out);
    if (linear.transposed) {
      device.LoadTransposed(view, rows);
    } else {
      device.Load(view, 0, rows);
    }
    checkpoint_.Release(name, 0, view.bytes.size());
    row += linear.out;
  }
}

WeightsWithBias Model::LoadNorm(const NormSpec& norm, Device& device) const {
  WeightsWithBias loaded;
  loaded.weight = DeviceMatrix(device, DType::kF32, 1, norm.dim);
  device.Load(View(norm.weight), 0, loaded.weight.view());
  if (norm.plus_one) {
    const DeviceMatrix one(device, DType::kF32, 1, norm.dim);
    device.Fill(1, one.view());
    device.Add(1, one.view(), loaded.weight.view());
  }
  if (norm.bias.empty()) return loaded;
  loaded.bias = DeviceMatrix(device, DType::kF32, 1, norm.dim);
  device.Load(View(norm.bias), 0, loaded.bias.view());
  return loaded;
}

// Memory for the weight, and the bias.
WeightsWithBias Model::LoadMatrix(const UnitSpec& unit, Device& device) const {
  WeightsWithBias loaded;
  loaded.weight = DeviceMatrix(device, DType::kF32, unit.out(), unit.in());
  if (!unit.bias()) return loaded;
  loaded.bias = DeviceMatrix(device, DType::kF32, 1, unit.out());
  int64_t first = 0;
  for (const LinearSpec& linear : unit.linears) {
    device.Load(View(linear.name + ".bias"), 0, loaded.bias.view().Columns(first, linear.out));
    first += linear.out;
  }
  return loaded;
}

absl::StatusOr<BlockWeights> Model::LoadBlock(int64_t block, Compute compute, Device& device,
                                              const UnitSource& source) const {
  BlockWeights weights;
  weights.program = config_.block(block);
  for (const NormSpec& norm : weights.program.norms) weights.norms.push_back(LoadNorm(norm, device));
  for (const UnitSpec& unit : weights.program.units) {
    WeightsWithBias& to = weights.matrices.emplace_back(LoadMatrix(unit, device));
    if (source) {
      ABSL_RETURN_IF_ERROR(source(unit, to.weight.view()));
    } else {
      LoadUnit(unit, device, to.weight.view());
    }
    if (compute == Compute::kBf16) to.weight = Narrowed(to.weight, device);
  }
  for (const UnitSpec& unit : weights.program.kept) {
    LoadUnit(unit, device, weights.matrices.emplace_back(LoadMatrix(unit, device)).weight.view());
  }
  return weights;
}

void Model::Embed(std::span<const int32_t> ids, int64_t window, Device& device, const Matrix& x) const {
  device.LoadRows(View(embedding_), ids, static_cast<float>(config_.embedding.factor), /*add=*/false, x);
  if (config_.embedding.positions.empty()) return;
  std::vector<int32_t> positions;
  for (size_t i = 0; i < ids.size(); ++i) {
    positions.push_back(static_cast<int32_t>(static_cast<int64_t>(i) % window + config_.embedding.first_position));
  }
  device.LoadRows(View(config_.embedding.positions), positions, 1, /*add=*/true, x);
}

void Model::FinalNorm(Device& device, const Matrix& x) const {
  const NormSpec& norm = config_.head.norm;
  if (norm.weight.empty()) return;
  const Heads rows{x, 1, x.columns, x.columns};
  const WeightsWithBias weights = LoadNorm(norm, device);
  device.Norm(rows, PartsOf(norm, weights), rows);
}

void Model::FinalNormBack(Device& device, const Matrix& x, const Matrix& d, const NormGradients& gradients) const {
  const NormSpec& norm = config_.head.norm;
  if (norm.weight.empty()) return;
  const DeviceMatrix dx(device, DType::kF32, x.rows, x.columns);
  device.Fill(0, dx.view());
  const auto rows = [](const Matrix& m) { return Heads{m, 1, m.columns, m.columns}; };
  const WeightsWithBias weights = LoadNorm(norm, device);
  device.NormBack(rows(x), PartsOf(norm, weights), rows(d), rows(dx.view()), gradients);
  device.Copy(dx.view(), d);
}

void Model::HeadRows(int64_t first, Device& device, const Matrix& out) const {
  const TensorView& view = View(head_);
  device.Load(view, first * config_.hidden, out);
  const int64_t row_bytes = config_.hidden * ByteSize(view.dtype);
  checkpoint_.Release(head_, static_cast<size_t>(first * row_bytes), static_cast<size_t>(out.rows * row_bytes));
}

void Model::Prefetch(int64_t block) const {
  if (block < 0 || block >= config_.layers) return;
  for (const UnitSpec& unit : config_.block(block).units) {
    for (const LinearSpec& linear : unit.linears) checkpoint_.WillNeed(linear.name + ".weight");
  }
}

DeviceMatrix Narrowed(const DeviceMatrix& wide, Device& device) {
  DeviceMatrix narrow(device, DType::kBF16, wide.view().rows, wide.view().columns);
  device.Narrow(wide.view(), narrow.view());
  return narrow;
}

NormParts PartsOf(const NormSpec& norm, const WeightsWithBias& weights) {
  return {weights.weight.view(), weights.bias.view(), static_cast<float>(norm.eps), norm.centered};
}

}  // namespace bitwright::worker
