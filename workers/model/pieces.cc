#include "workers/model/pieces.h"

#include <algorithm>
#include <optional>

#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

using Parts = std::vector<ModelPart>;

class PartsOfTensors {
 public:
  void Norm(const NormSpec& norm, ModelPart part) {
    for (const std::string* name : {&norm.weight, &norm.bias}) Tensor(*name, part);
  }
  // The weights are of `part`; biases stay as they are.
  void Unit(const UnitSpec& unit, ModelPart part) {
    for (const LinearSpec& linear : unit.linears) {
      Tensor(linear.name + ".weight", part);
      if (linear.bias) Tensor(linear.name + ".bias", {v1::ModelPiece::KEPT, part.block});
    }
  }
  void Tensor(const std::string& name, ModelPart part) {
    if (name.empty()) return;
    Parts& parts = parts_[name];
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  }
  std::map<std::string, Parts> Take() { return std::move(parts_); }

 private:
  std::map<std::string, Parts> parts_;
};

// A piece before it is read: without its digest.
struct Stretch {
  const SafetensorsFile* shard = nullptr;
  size_t begin = 0, end = 0;  // of its tensors within the file
  std::vector<std::pair<std::string, const TensorView*>> tensors;
  WeightPiece piece;

  size_t first() const { return begin / kPieceAlignment * kPieceAlignment; }
  size_t last() const {
    return std::min((end + kPieceAlignment - 1) / kPieceAlignment * kPieceAlignment, shard->bytes().size());
  }
};

void AddStretch(const std::string& file, const SafetensorsFile& shard, size_t offset, const Parts& parts,
                std::vector<Stretch>& all) {
  Stretch& added = all.emplace_back();
  added.shard = &shard;
  added.begin = added.end = offset;
  added.piece.file = file;
  added.piece.parts = parts;
}

// Neighbours of the same parts are one stretch; before them stands the header.
void AddStretches(const std::string& file, const SafetensorsFile& shard, const std::map<std::string, Parts>& parts,
                  std::vector<Stretch>& all) {
  const std::byte* start = shard.bytes().data();
  std::map<size_t, std::pair<std::string, const TensorView*>> by_offset;
  for (const auto& [name, view] : shard.tensors()) {
    if (parts.contains(name) && !view.bytes.empty()) {
      by_offset[static_cast<size_t>(view.bytes.data() - start)] = {name, &view};
    }
  }
  AddStretch(file, shard, 0, {ModelPart{}}, all);
  all.back().end = shard.header_bytes();
  for (const auto& [offset, tensor] : by_offset) {
    const Parts& of = parts.at(tensor.first);
    if (all.back().end != offset || all.back().piece.parts != of) {
      AddStretch(file, shard, offset, of, all);
    }
    all.back().end = offset + tensor.second->bytes.size();
    all.back().tensors.push_back(tensor);
  }
}

// Reads the bytes of a stretch in order, a part at a time; the first element that is not finite.
class StretchReader {
 public:
  explicit StretchReader(const Stretch& stretch) : stretch_(stretch), at_(stretch.first()) {}

  std::optional<absl::Status> Read() {
    for (const auto& [name, view] : stretch_.tensors) {
      Hash(static_cast<size_t>(view->bytes.data() - stretch_.shard->bytes().data()));  // up to the tensor
      if (const int64_t bad = ReadTensor(*view); bad >= 0) {
        return TensorNotFiniteError(stretch_.piece.file, name, bad);
      }
    }
    Hash(stretch_.last());
    return std::nullopt;
  }

  BlobDigest Finish() { return {hash_.Finish(), static_cast<int64_t>(stretch_.last() - stretch_.first())}; }

 private:
  int64_t ReadTensor(const TensorView& view) {
    const int64_t size = ByteSize(view.dtype), most = kMappedPieceBytes / size;
    for (int64_t first = 0; first < view.elements(); first += most) {
      const int64_t count = std::min(most, view.elements() - first);
      const auto part = view.bytes.subspan(static_cast<size_t>(first * size), static_cast<size_t>(count * size));
      const int64_t bad = FirstNonFinite({view.dtype, {count}, part});
      if (bad >= 0) return first + bad;
      Hash(at_ + part.size());
    }
    return -1;
  }

  void Hash(size_t end) {
    ForMappedParts(stretch_.shard->bytes().subspan(at_, end - at_), [&](std::span<const std::byte> part) {
      hash_.Update(part.data(), part.size());
      stretch_.shard->Release(part);
    });
    at_ = end;
  }

  const Stretch& stretch_;
  size_t at_;
  Sha256 hash_;
};

}  // namespace

std::map<std::string, Parts> PartsByTensor(const Model& model) {
  const ModelConfig& config = model.config();
  PartsOfTensors parts;
  parts.Norm(config.head.norm, {v1::ModelPiece::COMMON});
  if (model.compares_ends()) {
    for (const std::string& end : {config.embedding.tokens, config.head.weight}) {
      parts.Tensor(end, {v1::ModelPiece::COMMON});
    }
  }
  parts.Tensor(model.embedding(), {v1::ModelPiece::EMBEDDING});
  parts.Tensor(config.embedding.positions, {v1::ModelPiece::EMBEDDING});
  parts.Tensor(model.head(), {v1::ModelPiece::HEAD});
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram block = config.block(b);
    for (const NormSpec& norm : block.norms) parts.Norm(norm, {v1::ModelPiece::KEPT, b});
    for (const UnitSpec& unit : block.kept) parts.Unit(unit, {v1::ModelPiece::KEPT, b});
    for (const UnitSpec& unit : block.units) parts.Unit(unit, {v1::ModelPiece::UNITS, b});
  }
  return parts.Take();
}

absl::StatusOr<std::vector<WeightPiece>> ReadPieces(const Model& model, ThreadPool& pool) {
  const std::map<std::string, Parts> parts = PartsByTensor(model);
  std::vector<Stretch> stretches;
  for (const auto& [file, shard] : model.checkpoint().shards()) AddStretches(file, shard, parts, stretches);
  std::vector<std::optional<absl::Status>> bad(stretches.size());
  pool.ParallelFor(static_cast<int64_t>(stretches.size()), [&](int64_t i, int) {
    Stretch& stretch = stretches[static_cast<size_t>(i)];
    StretchReader reader(stretch);
    bad[static_cast<size_t>(i)] = reader.Read();
    stretch.piece.offset = static_cast<int64_t>(stretch.first());
    stretch.piece.digest = reader.Finish();
  });
  std::vector<WeightPiece> pieces;
  for (size_t i = 0; i < stretches.size(); ++i) {
    if (bad[i]) return *bad[i];
    pieces.push_back(std::move(stretches[i].piece));
  }
  return pieces;
}

absl::Status CheckParts(const Model& model, const PartsRead& parts) {
  for (const auto& [name, of] : PartsByTensor(model)) {
    const bool read = std::any_of(of.begin(), of.end(), [&](const ModelPart& part) { return parts.Has(part); });
    if (!read || model.checkpoint().Holds(name)) continue;
    return BytesNotGivenError(model.checkpoint().tensors().at(name).file, "tensor '" + name + "'");
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
