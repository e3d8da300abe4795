#include <algorithm>
#include <filesystem>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "proto/contract/task_names.h"
#include "proto/inputs/import_form.h"
#include "proto/inputs/model_folder.h"
#include "proto/inputs/model_refusals.h"
#include "workers/calibrate/second_moment.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/folder_files.h"
#include "workers/model/ends.h"
#include "workers/model/leftovers.h"
#include "workers/model/pieces.h"
#include "workers/model/value_plan.h"
#include "workers/targets/artifact.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/model_notices.h"
#include "workers/tasks/target_model.h"

namespace bitwright::worker {
namespace {

void DescribeSizes(const ModelConfig& config, v1::ModelInfo& info) {
  info.set_family(config.family);
  info.set_architecture(config.architecture);
  info.set_blocks(static_cast<int32_t>(config.layers));
  info.set_hidden_size(config.hidden);
  info.set_intermediate_size(config.intermediate);
  info.set_vocab_size(config.vocab);
  info.set_max_positions(config.max_positions);
  info.set_head_parameters(config.vocab * config.hidden);
  info.set_tied_embeddings(config.tied_embeddings);
  info.mutable_live()->set_capped_logits(config.head.soft_cap > 0);
}

void DescribeUnit(const UnitSpec& unit, int block, v1::ModelInfo& info) {
  v1::UnitInfo& to = *info.add_units();
  to.set_name(unit.name);
  to.set_block(block);
  to.set_weights(unit.weights());
  if (unit.experts > 1) to.set_tie("experts");
  to.set_transposed(unit.linears.front().transposed);
  for (const LinearSpec& linear : unit.linears) {
    auto& l = *to.add_linears();
    l.set_name(linear.name);
    l.set_out_features(linear.out);
    l.set_in_features(linear.in);
  }
}

int64_t F32Bytes(const UnitSpec& unit) { return 4 * (unit.weights() + (unit.bias() ? unit.out() : 0)); }

// What a block takes in memory, where that is more than what other blocks do.
void DescribeLive(const Model& model, const BlockProgram& block, v1::LiveSizes& live) {
  int64_t wide = 0, narrow = 0, loading = 0, moments = 0, row = 0, tensor = live.tensor();
  for (const NormSpec& norm : block.norms) wide += 4 * norm.dim * (norm.bias.empty() ? 1 : 2);
  for (const UnitSpec& unit : block.kept) wide += F32Bytes(unit);
  for (const UnitSpec& unit : block.units) {
    const int64_t bytes = F32Bytes(unit);
    wide += bytes;
    narrow += bytes / 2;  // with the bias, which stays f32 and is small
    loading = std::max(loading, narrow + bytes);
    moments += 4 * unit.experts * unit.in() * unit.in();
    row = std::max(row, 2 * unit.in());
    const LinearSpec& linear = unit.linears.front();
    const int64_t stored = linear.out * linear.in * ByteSize(model.UnitType(unit));
    tensor = std::max(tensor, linear.transposed ? stored : std::min(stored, kMappedPieceBytes));
  }
  const int64_t others = wide - 2 * narrow;
  const auto grow = [](int64_t old, int64_t value) { return std::max(old, value); };
  live.set_block(grow(live.block(), wide));
  live.set_narrow_block(grow(live.narrow_block(), others + narrow));
  live.set_narrow_block_load(grow(live.narrow_block_load(), others + loading));
  live.set_tensor(tensor);
  live.set_forward_row(grow(live.forward_row(), PlanValues(block).RowBytes()));
  live.set_backward_row(grow(live.backward_row(), BackwardRowBytes(block)));
  live.set_narrow_row(grow(live.narrow_row(), row));
  live.set_moments(grow(live.moments(), moments));
}

// Units, and sizes of blocks. The dtype is one for all linears: scales are stored in it.
absl::Status DescribeUnits(const Model& model, v1::ModelInfo& info) {
  const ModelConfig& config = model.config();
  const DType dtype = model.UnitType(config.block(0).units[0]);
  info.set_dtype(std::string(DTypeName(dtype)));
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram block = config.block(b);
    int64_t parameters = 0;
    for (const NormSpec& norm : block.norms) parameters += norm.dim * (norm.bias.empty() ? 1 : 2);
    for (const UnitSpec& unit : block.kept) parameters += unit.weights() + (unit.bias() ? unit.out() : 0);
    for (const UnitSpec& unit : block.units) {
      for (const LinearSpec& linear : unit.linears) {
        const auto& located = model.checkpoint().tensors().at(linear.name + ".weight");
        if (located.view.dtype != dtype) {
          return TensorTypeWrongError(
              located.file, linear.name + ".weight",
              std::string(DTypeName(located.view.dtype)) + " among linears of " + std::string(DTypeName(dtype)));
        }
      }
      DescribeUnit(unit, static_cast<int>(b), info);
      parameters += unit.weights() + (unit.bias() ? unit.out() : 0);
      info.set_statistics_bytes(info.statistics_bytes() + unit.experts * (4 * PackedTriangleSize(unit.in()) + 8));
    }
    DescribeLive(model, block, *info.mutable_live());
    parameters = std::max(parameters, info.block_parameters());  // of the largest block
    info.set_block_parameters(parameters);
    info.set_largest_block_bytes(parameters * ByteSize(dtype));
  }
  for (const EndUnit& end : EndUnits(model)) {
    DescribeUnit(end.unit, -1, info);
    info.mutable_units(info.units_size() - 1)->set_embeds(end.embeds);
    info.mutable_units(info.units_size() - 1)->set_heads(end.heads);
  }
  return absl::OkStatus();
}

void DescribeTensors(const Model& model, v1::ModelInfo& info) {
  std::set<std::string> quantized;
  for (const v1::UnitInfo& unit : info.units()) {
    if (unit.block() < 0) continue;
    for (const auto& linear : unit.linears()) quantized.insert(linear.name() + ".weight");
  }
  for (const std::string& name : model.used()) {
    const TensorView& view = model.checkpoint().tensors().at(name).view;
    const int64_t bytes = static_cast<int64_t>(view.bytes.size());
    info.set_parameters(info.parameters() + view.elements());
    info.set_tensor_bytes(info.tensor_bytes() + bytes);
    if (quantized.contains(name)) continue;
    auto& kept = *info.add_kept();
    kept.set_name(name);
    kept.set_dtype(std::string(DTypeName(view.dtype)));
    for (const int64_t d : view.shape) kept.add_shape(d);
  }
}

int64_t SizeOf(const ModelFile& file) {
  std::error_code ignored;
  return static_cast<int64_t>(std::filesystem::file_size(file.path, ignored));
}

// Files of the model and their bytes.
void DescribeFiles(const std::vector<SortedFile>& sorted, const ModelFiles& files, v1::ModelInfo& info) {
  for (const SortedFile& file : sorted) {
    if (file.part == FilePart::kIgnored) continue;
    const int64_t size = SizeOf(files.at(file.path));
    info.add_files(file.path);
    info.set_model_bytes(info.model_bytes() + size);
    if (file.part != FilePart::kCarried) continue;
    info.add_carried_files(file.path);
  }
  const auto& carried = info.carried_files();
  for (const std::string_view tokenizer : kTokenizerFiles) {
    if (!info.tokenizer_path().empty() || std::ranges::count(carried, tokenizer) == 0) continue;
    info.set_tokenizer_path(std::string(tokenizer));
  }
}

// After DescribeFiles.
void DescribePieces(const std::vector<WeightPiece>& pieces, v1::ModelInfo& info) {
  for (const WeightPiece& piece : pieces) {
    const auto file = std::find(info.files().begin(), info.files().end(), piece.file);
    for (const ModelPart& part : piece.parts) {
      v1::ModelPiece& to = *info.add_pieces();
      to.set_file(static_cast<int32_t>(file - info.files().begin()));
      to.mutable_piece()->set_offset(piece.offset);
      *to.mutable_piece()->mutable_digest() = ToProto(piece.digest);
      to.set_part(part.part);
      to.set_block(static_cast<int32_t>(part.block));
    }
  }
}

// The files to read tensors from.
ModelFiles NumericFiles(const std::vector<SortedFile>& sorted, const ModelFiles& files) {
  ModelFiles numeric;
  for (const SortedFile& file : sorted) {
    const bool read = file.part == FilePart::kConfig || file.part == FilePart::kWeights;
    if (read) numeric.emplace(file.path, files.at(file.path));
  }
  return numeric;
}

// Before anything asks for a tensor by its name.
absl::Status CheckNames(const ModelFiles& files) {
  ABSL_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Open(files));
  std::vector<std::string> names;
  for (const auto& [name, located] : checkpoint.tensors()) names.push_back(name);
  return CheckTensorNames(names);
}

// Of files in another form: what an import is to read.
absl::Status WriteNeed(const v1::Import& import, const std::vector<SortedFile>& sorted, TaskIo& io) {
  v1::ModelInfo info;
  *info.mutable_imported() = import;
  for (const SortedFile& file : sorted) {
    if (file.part != FilePart::kIgnored) info.add_files(file.path);
  }
  AddFileNotices(sorted, *info.mutable_imported()->mutable_notices());
  return io.WriteProto(TaskFile::kInfo, info);
}

// Of imported files: what they were.
void DescribeImport(const v1::Import& import, v1::ModelInfo& info) {
  *info.mutable_notices() = import.notices();
  *info.mutable_imported() = import;
  info.mutable_imported()->clear_notices();
  AddImportNotice(info);
}

}  // namespace

absl::Status RunInspect(const v1::InspectParams& params, TaskIo& io) {
  const ModelFiles files = io.Files();
  const ModelFolder folder = FolderOf(files);
  ABSL_RETURN_IF_ERROR(CheckModelFolder(folder));
  ABSL_ASSIGN_OR_RETURN(const std::vector<SortedFile> sorted, SortModelFiles(folder));
  const std::optional<v1::Import> import = ImportFormOf(folder);
  if (import && !params.has_imported()) return WriteNeed(*import, sorted, io);
  const ModelFiles numeric = NumericFiles(sorted, files);
  ABSL_RETURN_IF_ERROR(CheckNames(numeric));
  ABSL_ASSIGN_OR_RETURN(const Model model, Model::Open(numeric));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> leftovers, LeftoverTensors(model));
  ABSL_ASSIGN_OR_RETURN(const std::vector<WeightPiece> pieces, ReadPieces(model, io.pool()));
  v1::ModelInfo info;
  DescribeSizes(model.config(), info);
  ABSL_RETURN_IF_ERROR(DescribeUnits(model, info));
  DescribeTensors(model, info);
  DescribeFiles(sorted, files, info);
  DescribePieces(pieces, info);
  if (params.has_imported()) DescribeImport(params.imported(), info);
  AddModelNotices(folder, sorted, model, leftovers, info);
  ABSL_ASSIGN_OR_RETURN(const TargetModel described, ReadTargetModel(files, info, ""));
  for (const Target* target : Targets()) *info.add_targets() = DescribeTarget(*target, described);
  return io.WriteProto(TaskFile::kInfo, info);
}

}  // namespace bitwright::worker
