#include <filesystem>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/second_moment.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/export/artifact.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"

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
}

void DescribeUnit(const UnitSpec& unit, int block, DType dtype, v1::ModelInfo& info) {
  v1::UnitInfo& to = *info.add_units();
  to.set_name(unit.name);
  to.set_block(block);
  to.set_weights(unit.weights());
  info.set_quantized_weights(info.quantized_weights() + unit.weights());
  for (const LinearSpec& linear : unit.linears) {
    auto& l = *to.add_linears();
    l.set_name(linear.name);
    l.set_out_features(linear.out);
    l.set_in_features(linear.in);
  }
  for (const IntFormat format : AllowedFormats(unit.in())) {
    v1::FormatOption& option = *to.add_options();
    *option.mutable_format() = ToProto(format);
    option.set_bytes(CodedBytes(unit, format, dtype));
  }
}

// Units, and sizes of blocks. The dtype is one for all linears: scales are stored in it.
absl::Status DescribeUnits(const Model& model, v1::ModelInfo& info) {
  const ModelConfig& config = model.config();
  const DType dtype = model.UnitType(DescribeBlock(config, 0).units[0]);
  info.set_dtype(std::string(DTypeName(dtype)));
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockSpec block = DescribeBlock(config, b);
    int64_t parameters = 2 * config.hidden;
    for (const UnitSpec& unit : block.units) {
      for (const LinearSpec& linear : unit.linears) {
        const auto& located = model.checkpoint().tensors().at(linear.name + ".weight");
        if (located.view.dtype != dtype) {
          return TensorTypeWrongError(
              located.file, linear.name + ".weight",
              std::string(DTypeName(located.view.dtype)) + " among linears of " + std::string(DTypeName(dtype)));
        }
      }
      DescribeUnit(unit, static_cast<int>(b), dtype, info);
      parameters += unit.weights() + (unit.bias() ? unit.out() : 0);
      info.set_statistics_bytes(info.statistics_bytes() + 4 * PackedTriangleSize(unit.in()) + 8);
    }
    info.set_block_parameters(parameters);
    info.set_largest_block_bytes(parameters * ByteSize(dtype));
  }
  return absl::OkStatus();
}

void DescribeTensors(const Model& model, v1::ModelInfo& info) {
  std::map<std::string, bool> quantized;
  for (const v1::UnitInfo& unit : info.units()) {
    for (const auto& linear : unit.linears()) quantized[linear.name() + ".weight"] = true;
  }
  for (const auto& [name, located] : model.checkpoint().tensors()) {
    const int64_t bytes = static_cast<int64_t>(located.view.bytes.size());
    info.set_parameters(info.parameters() + located.view.elements());
    info.set_tensor_bytes(info.tensor_bytes() + bytes);
    if (quantized.contains(name)) continue;
    info.set_kept_bytes(info.kept_bytes() + bytes);
    auto& kept = *info.add_kept();
    kept.set_name(name);
    kept.set_dtype(std::string(DTypeName(located.view.dtype)));
    for (const int64_t d : located.view.shape) kept.add_shape(d);
  }
}

}  // namespace

absl::Status RunInspect(const v1::InspectParams&, TaskIo& io) {
  const ModelFiles files = io.Files();
  ABSL_ASSIGN_OR_RETURN(const Model model, Model::Open(files));
  ABSL_RETURN_IF_ERROR(model.CheckFinite(io.pool()));
  v1::ModelInfo info;
  DescribeSizes(model.config(), info);
  ABSL_RETURN_IF_ERROR(DescribeUnits(model, info));
  DescribeTensors(model, info);
  std::map<std::string, int64_t> copied;
  for (const auto& [name, path] : files) {
    std::error_code ignored;
    const int64_t size = static_cast<int64_t>(std::filesystem::file_size(path, ignored));
    info.set_model_bytes(info.model_bytes() + size);
    if (IsCopiedFile(name)) copied[name] = size;
  }
  if (files.contains("tokenizer.json")) info.set_tokenizer_path("tokenizer.json");
  ABSL_ASSIGN_OR_RETURN(const std::string config, ReadFile(files.at("config.json")));
  ABSL_ASSIGN_OR_RETURN(const int64_t overhead, ArtifactOverheadBound(config, copied, info));
  info.set_artifact_overhead_bytes(overhead);
  return io.WriteProto(TaskFile::kInfo, info);
}

}  // namespace bitwright::worker
