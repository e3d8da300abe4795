#include "workers/import/float8_model.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "proto/inputs/model_folder.h"
#include "workers/checkpoint/checkpoint.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/folder_files.h"
#include "workers/checkpoint/strict_json.h"
#include "workers/families/dtype_name.h"
#include "workers/import/import_errors.h"
#include "workers/tensor/float8.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::ordered_json;
using Located = Checkpoint::Located;

constexpr char kConfig[] = "config.json";
constexpr std::string_view kWeight = ".weight";
constexpr char kPlainScale[] = "_scale";
// Of activations and caches, whose quantization is not a part of the weights.
constexpr std::string_view kOthers[] = {".input_scale",      ".output_scale",      ".activation_scale",
                                        ".k_scale",          ".v_scale",           ".q_scale",
                                        ".input_zero_point", ".output_zero_point", ".weight_zero_point"};

// Rows and columns that share a scale.
struct Block {
  int64_t rows = 0, columns = 0;
};

// What config.json says of the scales.
struct Scheme {
  std::string end;             // of their names: ".weight_scale_inv"
  std::optional<Block> block;  // where it is fixed
  DType dtype = DType::kBF16;  // of the result
};

int64_t Ceil(int64_t a, int64_t b) { return (a + b - 1) / b; }

absl::StatusOr<std::optional<Block>> BlockOf(const Json& from, const char* field) {
  if (!from.contains(field) || from[field].is_null()) return std::nullopt;
  const Json& size = from[field];
  const auto natural = [](const Json& one) {
    return one.is_number_integer() && one.get<int64_t>() > 0 && one.get<int64_t>() < (int64_t{1} << 31);
  };
  if (!size.is_array() || size.size() != 2 || !natural(size[0]) || !natural(size[1])) {
    return ImportedConfigError(field, size.dump(), "a pair of sizes");
  }
  return Block{size[0].get<int64_t>(), size[1].get<int64_t>()};
}

// The weights of every group are E4M3, symmetric; blocks of all groups are the same.
absl::Status ReadGroups(const Json& config, Scheme& scheme) {
  if (!config.contains("config_groups") || !config["config_groups"].is_object()) {
    return ImportedConfigError("config_groups", "absent", "an object");
  }
  for (const auto& [name, group] : config["config_groups"].items()) {
    const std::string field = "config_groups." + name + ".weights";
    const Json weights = group.is_object() && group.contains("weights") ? group["weights"] : Json();
    if (!weights.is_object() || weights.value("type", Json()) != "float" || weights.value("num_bits", Json()) != 8 ||
        weights.value("symmetric", Json(true)) == false) {
      return ImportedConfigError(field, weights.dump(), "symmetric floats of 8 bits");
    }
    ABSL_ASSIGN_OR_RETURN(const auto block, BlockOf(weights, "block_structure"));
    if (!block) continue;
    if (scheme.block && (scheme.block->rows != block->rows || scheme.block->columns != block->columns)) {
      return ImportedConfigError(field, weights.dump(), "one block_structure for all groups");
    }
    scheme.block = block;
  }
  return absl::OkStatus();
}

DType DTypeOf(const Json& config) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (!config.contains(key) || !config[key].is_string()) continue;
    const auto name = TorchDTypeName(config[key].get_ref<const std::string&>());
    if (name == "float16" || name == "half") return DType::kF16;
    if (name == "float32" || name == "float") return DType::kF32;
  }
  return DType::kBF16;
}

absl::StatusOr<Scheme> SchemeOf(const Json& config, v1::Import::Form form) {
  Scheme scheme;
  scheme.dtype = DTypeOf(config);
  const Json quantization = config.value("quantization_config", Json());
  if (!quantization.is_object()) return ImportedConfigError("", quantization.dump(), "an object");
  if (form == v1::Import::FLOAT_QUANTIZED) {
    scheme.end = kPlainScale;
    ABSL_RETURN_IF_ERROR(ReadGroups(quantization, scheme));
    return scheme;
  }
  scheme.end = "_scale_inv";
  ABSL_ASSIGN_OR_RETURN(scheme.block, BlockOf(quantization, "weight_block_size"));
  return scheme;
}

// The rows and columns that one of the scales is for.
absl::StatusOr<Block> BlockOfScales(const Scheme& scheme, const std::string& name, const Located& scales,
                                    const TensorView& matrix) {
  const int64_t rows = matrix.shape[0], columns = matrix.shape[1];
  const std::vector<int64_t>& shape = scales.view.shape;
  if (scales.view.elements() == 1) return Block{rows, columns};
  std::string expected = "one for the matrix or for each row, or [out, in / group]";
  if (scheme.block) {
    const std::vector<int64_t> blocks = {Ceil(rows, scheme.block->rows), Ceil(columns, scheme.block->columns)};
    if (shape == blocks) return *scheme.block;
    expected = ShapeText(blocks);
  } else if (shape == std::vector<int64_t>{rows} || shape == std::vector<int64_t>{rows, 1}) {
    return Block{1, columns};
  } else if (shape.size() == 2 && shape[0] == rows && shape[1] > 0 && columns % shape[1] == 0) {
    return Block{1, columns / shape[1]};
  }
  return ScaleShapeError(scales.file, name, ShapeText(shape), ShapeText(matrix.shape), expected);
}

// Rows of one matrix after the other, each with its scales.
class Dequantizer {
 public:
  Dequantizer(std::shared_ptr<const Checkpoint> checkpoint, std::string name, std::vector<float> scales, Block block,
              DType dtype)
      : checkpoint_(std::move(checkpoint)),
        name_(std::move(name)),
        scales_(std::move(scales)),
        block_(block),
        dtype_(dtype) {}

  absl::Status Write(const TakeBytes& take) const {
    const TensorView& matrix = checkpoint_->tensors().at(name_).view;
    const int64_t rows = matrix.shape[0], columns = matrix.shape[1];
    if (columns == 0) return absl::OkStatus();
    const int64_t most = std::max<int64_t>(kMappedPieceBytes / columns, 1);
    std::vector<std::byte> out;
    std::vector<float> values(static_cast<size_t>(columns));
    for (int64_t first = 0; first < rows; first += most) {
      const int64_t count = std::min(most, rows - first);
      out.resize(static_cast<size_t>(count * columns * ByteSize(dtype_)));
      for (int64_t row = 0; row < count; ++row) {
        Row(first + row, matrix.bytes.data() + (first + row) * columns, values);
        FromFloat(values, dtype_, out.data() + row * columns * ByteSize(dtype_));
      }
      ABSL_RETURN_IF_ERROR(take(out));
      checkpoint_->Release(name_, static_cast<size_t>(first * columns), static_cast<size_t>(count * columns));
    }
    return absl::OkStatus();
  }

 private:
  void Row(int64_t row, const std::byte* codes, std::span<float> out) const {
    const int64_t columns = std::ssize(out);
    const float* scales = scales_.data() + row / block_.rows * Ceil(columns, block_.columns);
    for (int64_t begin = 0; begin < columns; begin += block_.columns, ++scales) {
      const int64_t end = std::min(columns, begin + block_.columns);
      for (int64_t j = begin; j < end; ++j) {
        out[static_cast<size_t>(j)] = kE4M3Values[std::to_integer<uint8_t>(codes[j])] * *scales;
      }
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::string name_;
  std::vector<float> scales_;
  Block block_;
  DType dtype_;
};

absl::StatusOr<PlainTensor> Dequantized(std::shared_ptr<const Checkpoint> checkpoint, const std::string& name,
                                        const Scheme& scheme) {
  const Located& matrix = checkpoint->tensors().at(name);
  if (!name.ends_with(kWeight) || matrix.view.shape.size() != 2) {
    return ImportedTensorError(matrix.file, name, "is FP8 and no matrix of a linear layer");
  }
  const std::string scale = name + scheme.end;
  const auto found = checkpoint->tensors().find(scale);
  if (found == checkpoint->tensors().end()) return ScaleMissingError(matrix.file, name, scale);
  const TensorView& view = found->second.view;
  if (!IsWeightType(view.dtype)) {
    return ScaleTypeError(found->second.file, scale, DTypeName(view.dtype));
  }
  if (view.elements() == 0) {
    return ScaleShapeError(found->second.file, scale, ShapeText(view.shape), ShapeText(matrix.view.shape), "one");
  }
  ABSL_ASSIGN_OR_RETURN(const Block block, BlockOfScales(scheme, scale, found->second, matrix.view));
  std::vector<float> scales(static_cast<size_t>(view.elements()));
  ToFloat(view, scales);
  const Dequantizer dequantizer(std::move(checkpoint), name, std::move(scales), block, scheme.dtype);
  return PlainTensor{{name, scheme.dtype, matrix.view.shape},
                     [dequantizer](const TakeBytes& take) { return dequantizer.Write(take); }};
}

PlainTensor Unchanged(std::shared_ptr<const Checkpoint> checkpoint, const std::string& name) {
  const TensorView& view = checkpoint->tensors().at(name).view;
  return {{name, view.dtype, view.shape}, [checkpoint = std::move(checkpoint), name](const TakeBytes& take) {
            absl::Status status;
            size_t done = 0;
            ForMappedParts(checkpoint->tensors().at(name).view.bytes, [&](std::span<const std::byte> part) {
              if (status.ok()) status = take(part);
              checkpoint->Release(name, done, part.size());
              done += part.size();
            });
            return status;
          }};
}

bool HasScales(const Checkpoint& checkpoint, const Scheme& scheme) {
  const std::string end = std::string(kWeight) + scheme.end;
  return std::ranges::any_of(checkpoint.tensors(), [&](const auto& tensor) { return tensor.first.ends_with(end); });
}

// Whether a tensor only says how another one is to be read.
bool IsScale(const Checkpoint& checkpoint, const std::string& name, const Scheme& scheme) {
  const std::string end = std::string(kWeight) + scheme.end;
  if (name.ends_with(end)) {
    const auto matrix = checkpoint.tensors().find(name.substr(0, name.size() - scheme.end.size()));
    return matrix != checkpoint.tensors().end() && matrix->second.view.dtype == DType::kF8E4M3;
  }
  return std::ranges::any_of(kOthers, [&](std::string_view other) { return name.ends_with(other); });
}

}  // namespace

absl::StatusOr<PlainModel> ReadFloat8Model(const ModelFiles& files, v1::Import::Form form) {
  PlainModel model;
  const auto file = files.find(kConfig);
  if (file == files.end()) return ModelFileMissingError(kConfig, "every model has one");
  ABSL_ASSIGN_OR_RETURN(const auto text, MapWhole(file->second, kConfig));
  ABSL_RETURN_IF_ERROR(ParseStrictJson(text->text(), kConfig).status());
  Json config = Json::parse(text->text(), nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return JsonInvalidError(kConfig, "it is not an object");
  ABSL_ASSIGN_OR_RETURN(Scheme scheme, SchemeOf(config, form));
  ABSL_ASSIGN_OR_RETURN(Checkpoint opened, Checkpoint::Open(files));
  const auto checkpoint = std::make_shared<const Checkpoint>(std::move(opened));
  if (!scheme.block && !HasScales(*checkpoint, scheme)) scheme.end = kPlainScale;
  for (const auto& [name, located] : checkpoint->tensors()) {
    if (IsScale(*checkpoint, name, scheme)) continue;
    const DType dtype = located.view.dtype;
    if (dtype == DType::kF8E5M2) return ImportedTensorError(located.file, name, "is F8_E5M2, which is not read");
    if (dtype != DType::kF8E4M3) {
      model.tensors.push_back(Unchanged(checkpoint, name));
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(PlainTensor tensor, Dequantized(checkpoint, name, scheme));
    model.tensors.push_back(std::move(tensor));
  }
  config.erase("quantization_config");
  for (const char* key : {"dtype", "torch_dtype"}) {
    const bool other =
        config.contains(key) && config[key].is_string() && !TorchDTypeName(config[key].get_ref<const std::string&>());
    if (other) config[key] = TorchDTypeName(scheme.dtype);
  }
  model.texts[kConfig] = config.dump(2) + "\n";
  ABSL_ASSIGN_OR_RETURN(const std::vector<SortedFile> sorted, SortModelFiles(FolderOf(files)));
  for (const SortedFile& one : sorted) {
    if (one.part == FilePart::kCarried) model.carried.emplace(one.path, files.at(one.path));
  }
  return model;
}

}  // namespace bitwright::worker
