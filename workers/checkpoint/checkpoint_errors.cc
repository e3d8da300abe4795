#include "workers/checkpoint/checkpoint_errors.h"

#include <map>

#include "proto/base/errors.h"
#include "proto/contract/architectures.h"

namespace bitwright::worker {
namespace {

using Facts = std::map<std::string, std::string>;

absl::Status Refuse(std::string_view reason, const std::string& message, Facts facts) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, std::move(facts));
}

// Names come from hostile files: show a bounded part.
std::string Show(std::string_view text) { return "'" + std::string(text.substr(0, 200)) + "'"; }
std::string Cut(std::string_view text) { return std::string(text.substr(0, 200)); }

}  // namespace

absl::Status JsonInvalidError(std::string_view file, std::string_view why) {
  return Refuse("JSON_INVALID", "file " + Show(file) + " is not valid JSON: " + Cut(why), {{"file", Cut(file)}});
}

absl::Status JsonDuplicateKeyError(std::string_view file, std::string_view key) {
  return Refuse("JSON_DUPLICATE_KEY",
                "file " + Show(file) + " names the key " + Show(key) + " twice; each key may occur once",
                {{"file", Cut(file)}, {"key", Cut(key)}});
}

absl::Status SafetensorsTruncatedError(std::string_view file, int64_t size, int64_t needed) {
  return Refuse("SAFETENSORS_TRUNCATED",
                "file " + Show(file) + " has " + std::to_string(size) + " bytes but its header needs " +
                    std::to_string(needed) + "; it was cut short, copy it again",
                {{"file", Cut(file)}, {"size", std::to_string(size)}, {"needed", std::to_string(needed)}});
}

absl::Status SafetensorsHeaderTooLargeError(std::string_view file, uint64_t size, int64_t limit) {
  return Refuse("SAFETENSORS_HEADER_TOO_LARGE",
                "file " + Show(file) + " declares a header of " + std::to_string(size) + " bytes; the limit is " +
                    std::to_string(limit),
                {{"file", Cut(file)}, {"size", std::to_string(size)}, {"limit", std::to_string(limit)}});
}

absl::Status SafetensorsHeaderInvalidError(std::string_view file, std::string_view tensor, std::string_view why) {
  return Refuse("SAFETENSORS_HEADER_INVALID",
                "file " + Show(file) + ", tensor " + Show(tensor) + ": the header entry " + Cut(why),
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}});
}

absl::Status TensorTypeUnknownError(std::string_view file, std::string_view tensor, std::string_view dtype) {
  return Refuse("SAFETENSORS_DTYPE_UNKNOWN",
                "file " + Show(file) + ", tensor " + Show(tensor) + ": dtype " + Show(dtype) + " is unknown",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"dtype", Cut(dtype)}});
}

absl::Status TensorShapeOverflowError(std::string_view file, std::string_view tensor, std::string_view shape) {
  return Refuse("SAFETENSORS_SHAPE_OVERFLOW",
                "file " + Show(file) + ", tensor " + Show(tensor) + ": the product of shape " + Cut(shape) +
                    " does not fit 63 bits",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"shape", Cut(shape)}});
}

absl::Status TensorRangeMismatchError(std::string_view file, std::string_view tensor, int64_t range,
                                      int64_t shape_bytes) {
  return Refuse("SAFETENSORS_RANGE_MISMATCH",
                "file " + Show(file) + ", tensor " + Show(tensor) + ": data_offsets span " + std::to_string(range) +
                    " bytes but shape and dtype need " + std::to_string(shape_bytes),
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}});
}

absl::Status TensorPastEndError(std::string_view file, std::string_view tensor, int64_t end, int64_t available) {
  return Refuse("SAFETENSORS_PAST_END",
                "file " + Show(file) + ", tensor " + Show(tensor) + ": data ends at byte " + std::to_string(end) +
                    " of the data part, which has " + std::to_string(available) +
                    " bytes; the file was cut short or its header is wrong",
                {{"file", Cut(file)},
                 {"tensor", Cut(tensor)},
                 {"end", std::to_string(end)},
                 {"available", std::to_string(available)}});
}

absl::Status TensorsOverlapError(std::string_view file, std::string_view tensor, std::string_view other, int64_t at) {
  return Refuse("SAFETENSORS_OVERLAP",
                "file " + Show(file) + ": tensors " + Show(other) + " and " + Show(tensor) + " overlap at byte " +
                    std::to_string(at) + " of the data part",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"other", Cut(other)}, {"offset", std::to_string(at)}});
}

absl::Status TensorsHoleError(std::string_view file, std::string_view tensor, int64_t begin, int64_t end) {
  return Refuse("SAFETENSORS_HOLE",
                "file " + Show(file) + ": bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                    " of the data part, before tensor " + Show(tensor) + ", belong to no tensor",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"offset", std::to_string(begin)}});
}

absl::Status SafetensorsTrailingBytesError(std::string_view file, int64_t end, int64_t available) {
  return Refuse("SAFETENSORS_TRAILING_BYTES",
                "file " + Show(file) + ": the last tensor ends at byte " + std::to_string(end) +
                    " of the data part, which has " + std::to_string(available) + " bytes",
                {{"file", Cut(file)}, {"end", std::to_string(end)}, {"available", std::to_string(available)}});
}

absl::Status BytesNotGivenError(std::string_view file, std::string_view what) {
  return Refuse("TASK_SPEC_INVALID",
                "the task's field 'inputs.pieces' of file " + Show(file) + " lacks " + Cut(what) +
                    "; allowed is what holds all that a task of this kind reads",
                {{"field", "inputs.pieces"}, {"file", Cut(file)}, {"value", Cut(what)}});
}

absl::Status ModelFileMissingError(std::string_view file, std::string_view why) {
  return Refuse("MODEL_FILE_MISSING", "the model has no file " + Show(file) + "; " + Cut(why), {{"file", Cut(file)}});
}

absl::Status CheckpointIndexMismatchError(std::string_view file, std::string_view tensor, std::string_view why) {
  return Refuse("CHECKPOINT_INDEX_MISMATCH", "file " + Show(file) + ", tensor " + Show(tensor) + ": " + Cut(why),
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}});
}

absl::Status TensorMissingError(std::string_view tensor, std::string_view why) {
  return Refuse("TENSOR_MISSING", "the checkpoint has no tensor " + Show(tensor) + ", which " + Cut(why),
                {{"tensor", Cut(tensor)}});
}

absl::Status TensorShapeWrongError(std::string_view file, std::string_view tensor, std::string_view shape,
                                   std::string_view expected) {
  return Refuse("TENSOR_SHAPE_WRONG",
                "file " + Show(file) + ", tensor " + Show(tensor) + " has shape " + Cut(shape) +
                    "; config.json asks for " + Cut(expected),
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"shape", Cut(shape)}, {"expected", Cut(expected)}});
}

absl::Status TensorTypeWrongError(std::string_view file, std::string_view tensor, std::string_view dtype) {
  return Refuse("TENSOR_DTYPE_WRONG",
                "file " + Show(file) + ", tensor " + Show(tensor) + " has dtype " + Cut(dtype) +
                    "; weights must be F32, F16 or BF16",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"dtype", Cut(dtype)}});
}

absl::Status TensorNotFiniteError(std::string_view file, std::string_view tensor, int64_t element) {
  return Refuse("TENSOR_NOT_FINITE",
                "file " + Show(file) + ", tensor " + Show(tensor) + ": element " + std::to_string(element) +
                    " is NaN or infinite; the checkpoint is damaged",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"element", std::to_string(element)}});
}

absl::Status ConfigInvalidError(std::string_view field, std::string_view why) {
  return Refuse("CONFIG_INVALID", "config.json, field " + Show(field) + " " + Cut(why),
                {{"file", "config.json"}, {"field", Cut(field)}});
}

absl::Status ArchitectureUnsupportedError(std::string_view architecture) {
  return Refuse("ARCHITECTURE_UNSUPPORTED",
                "architecture " + Show(architecture) + " is not supported; supported are " + ArchitectureList(),
                {{"file", "config.json"}, {"architecture", Cut(architecture)}});
}

absl::Status ConfigUnsupportedError(std::string_view field, std::string_view value, std::string_view supported) {
  return Refuse(
      "CONFIG_UNSUPPORTED",
      "config.json, field " + Show(field) + ": " + Show(value) + " is not supported; supported: " + Cut(supported),
      {{"file", "config.json"}, {"field", Cut(field)}, {"value", Cut(value)}});
}

absl::Status ConfigContradictsCheckpointError(std::string_view file, std::string_view tensor, std::string_view field) {
  return Refuse("CONFIG_CONTRADICTS_CHECKPOINT",
                "file " + Show(file) + " holds tensor " + Show(tensor) +
                    ", which a model of this config.json lacks: its "
                    "field " +
                    Show(field) + " describes another model; take config.json and weights of the same model",
                {{"file", Cut(file)}, {"tensor", Cut(tensor)}, {"field", Cut(field)}});
}

}  // namespace bitwright::worker
