#include "workers/import/import_errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {
namespace {

std::string Show(std::string_view text) { return absl::StrCat("'", std::string(text.substr(0, 200)), "'"); }
std::string Cut(std::string_view text) { return std::string(text.substr(0, 200)); }

absl::Status Refuse(std::string_view reason, const std::string& message, std::string_view file,
                    std::string_view tensor) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, {{"file", Cut(file)}, {"tensor", Cut(tensor)}});
}

constexpr std::string_view kScale = "IMPORT_SCALE_INVALID";

}  // namespace

absl::Status ScaleMissingError(std::string_view file, std::string_view tensor, std::string_view scale) {
  return Refuse(kScale,
                absl::StrCat("file ", Show(file), ": tensor ", Show(tensor), " is FP8 and has no scale ", Show(scale),
                             "; download the checkpoint again, or start from the unquantized model"),
                file, tensor);
}

absl::Status ScaleShapeError(std::string_view file, std::string_view scale, std::string_view shape,
                             std::string_view matrix, std::string_view expected) {
  return Refuse(
      kScale,
      absl::StrCat("file ", Show(file), ": scale ", Show(scale), " has shape ", std::string(shape),
                   ", which does not fit its matrix ", std::string(matrix), "; expected ", std::string(expected)),
      file, scale);
}

absl::Status ScaleTypeError(std::string_view file, std::string_view scale, std::string_view dtype) {
  return Refuse(kScale,
                absl::StrCat("file ", Show(file), ": scale ", Show(scale), " is ", std::string(dtype),
                             "; scales are read in F32, F16 and BF16"),
                file, scale);
}

absl::Status ImportedTensorError(std::string_view file, std::string_view tensor, std::string_view what) {
  return Refuse("IMPORT_TENSOR_UNSUPPORTED",
                absl::StrCat("file ", Show(file), ": tensor ", Show(tensor), " ", std::string(what),
                             "; start from the unquantized model"),
                file, tensor);
}

absl::Status ImportedConfigError(std::string_view field, std::string_view value, std::string_view supported) {
  return MakeError(absl::StatusCode::kInvalidArgument, "IMPORT_CONFIG_UNSUPPORTED",
                   absl::StrCat("config.json: quantization_config.", std::string(field), " is ", Cut(value),
                                "; supported is ", std::string(supported), "; start from the unquantized model"),
                   {{"field", Cut(field)}, {"value", Cut(value)}});
}

absl::Status GgufUnsupportedError(std::string_view file, std::string_view what, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "IMPORT_GGUF_UNSUPPORTED",
                   absl::StrCat("file ", Show(file), ": ", std::string(what.substr(0, 300)),
                                " is not imported: ", std::string(why.substr(0, 500)),
                                "; give the folder that the GGUF was made from, with config.json and *.safetensors"),
                   {{"file", Cut(file)}});
}

absl::Status GgufTypeError(std::string_view file, std::string_view tensor, std::string_view type) {
  return Refuse("IMPORT_TENSOR_UNSUPPORTED",
                absl::StrCat("file ", Show(file), ": tensor ", Show(tensor), " is ", std::string(type),
                             ", which is quantized already; start from the unquantized model, or from its GGUF in F32, "
                             "F16, BF16 or Q8_0"),
                file, tensor);
}

}  // namespace bitwright::worker
