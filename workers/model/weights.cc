#include "workers/model/weights.h"

#include <algorithm>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/folder_files.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kPieceElements = 1 << 18;  // that are compared at a time
constexpr size_t kPieceRows = 256;           // of a table that are read at a time: each may bring in 16 pages

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
  ABSL_ASSIGN_OR_RETURN(const auto config_text, MapWhole(config_file->second, config_file->first));
  ABSL_ASSIGN_OR_RETURN(ModelConfig config, ParseModelConfig(config_text->text()));
  ABSL_ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::Open(files));
  Model model(std::move(config), std::move(checkpoint));
  ABSL_RETURN_IF_ERROR(model.DecideTies());
  ABSL_RETURN_IF_ERROR(model.CheckTensors());
  return model;
}

absl::Status Model::DecideTies() {
  if (!config_.tied_embeddings) return absl::OkStatus();
  const auto& tensors = checkpoint_.tensors();
  const auto embedding = tensors.find(embedding_);
  const auto head = tensors.find(head_);
  const bool has_embedding = embedding != tensors.end(), has_head = head != tensors.end();
  compares_ends_ = has_embedding && has_head;
  bool differ = false;
  if (compares_ends_) {
    for (const auto& end : {embedding, head}) {
      if (!checkpoint_.Holds(end->first)) return BytesNotGivenError(end->second.file, "tensor '" + end->first + "'");
    }
    differ = !SameValues(embedding->second.view, head->second.view);
    ReleaseAll(embedding_);
    ReleaseAll(head_);
  }
  if (differ) {
    config_.tied_embeddings = false;
  } else if (has_head && !has_embedding) {
    embedding_ = head_;
  } else {
    head_ = embedding_;
  }
  return absl::OkStatus();
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

void Model::ReleaseAll(const std::string& name) const { checkpoint_.Release(name, 0, View(name).bytes.size()); }

void Model::Load(const std::string& name, int64_t first, Device& device, const Matrix& to) const {
  const TensorView& view = View(name);
  const int64_t row_bytes = std::max<int64_t>(1, to.columns * ByteSize(view.dtype));
  const int64_t most = std::max<int64_t>(1, kMappedPieceBytes / row_bytes);
  for (int64_t row = 0; row < to.rows; row += most) {
    const int64_t rows = std::min(most, to.rows - row);
    device.Load(view, first + row * to.columns, to.Rows(row, rows));
    checkpoint_.Release(name, static_cast<size_t>(first * ByteSize(view.dtype) + row * row_bytes),
                        static_cast<size_t>(rows * row_bytes));
  }
}

void Model::LoadTable(const std::string& name, std::span<const int32_t> rows, float factor, bool add, Device& device,
                      const Matrix& to) const {
  for (size_t first = 0; first < rows.size(); first += kPieceRows) {
    const size_t count = std::min(kPieceRows, rows.size() - first);
    device.LoadRows(View(name), rows.subspan(first, count), factor, add,
                    to.Rows(static_cast<int64_t>(first), static_cast<int64_t>(count)));
    ReleaseAll(name);
  }
}

DType Model::UnitType(const UnitSpec& unit) const { return View(unit.linears.front().name + ".weight").dtype; }

void Model::LoadUnit(const UnitSpec& unit, Device& device, const Matrix& weight) const {
  int64_t row = 0;
  for (const LinearSpec& linear : unit.linears) {
    const std::string name = linear.name + ".weight";
    const Matrix rows = weight.Rows(row, linear.out);
    if (linear.transposed) {
      device.LoadTransposed(View(name), rows);
      ReleaseAll(name);
    } else {
      Load(name, 0, device, rows);
    }
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
      ABSL_ASSIGN_OR_RETURN(to.input, source(unit, to.weight.view()));
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

void Model::Embed(std::span<const int32_t> ids, int64_t window, Device& device, const Matrix& x,
                  const TableSource* tokens) const {
  const auto factor = static_cast<float>(config_.embedding.factor);
  if (tokens == nullptr) {
    LoadTable(embedding_, ids, factor, /*add=*/false, device, x);
  } else {
    tokens->rows_of(ids, x);
    if (factor != 1) device.ScaleRows(std::vector<float>(ids.size(), factor), x);
  }
  if (config_.embedding.positions.empty()) return;
  std::vector<int32_t> positions;
  for (size_t i = 0; i < ids.size(); ++i) {
    positions.push_back(static_cast<int32_t>(static_cast<int64_t>(i) % window + config_.embedding.first_position));
  }
  LoadTable(config_.embedding.positions, positions, 1, /*add=*/true, device, x);
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

void Model::EmbeddingRows(int64_t first, Device& device, const Matrix& out) const {
  Load(embedding_, first * config_.hidden, device, out);
}

void Model::HeadRows(int64_t first, Device& device, const Matrix& out) const {
  Load(head_, first * config_.hidden, device, out);
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
