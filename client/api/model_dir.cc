#include "client/api/model_dir.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "client/api/client_errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

bool IsLeftOut(const fs::path& relative) {
  for (const auto& part : relative) {
    if (part.native().starts_with('.') || part == "original") return true;
  }
  const std::string extension = relative.extension();
  static constexpr std::string_view kOtherForms[] = {".bin", ".pt", ".pth", ".gguf", ".part"};
  return std::find(std::begin(kOtherForms), std::end(kOtherForms), extension) != std::end(kOtherForms);
}

absl::Status CheckComplete(const std::string& dir, const std::vector<ModelFile>& files, bool other_weights) {
  const auto has = [&](auto predicate) { return std::any_of(files.begin(), files.end(), predicate); };
  if (!has([](const ModelFile& file) { return file.path == "config.json"; })) {
    return ModelDirInvalidError(dir, "it has no config.json",
                                "give the folder that save_pretrained or `huggingface-cli download` wrote");
  }
  if (has([](const ModelFile& file) { return file.path.ends_with(".safetensors"); })) return absl::OkStatus();
  if (other_weights) {
    return ModelDirInvalidError(
        dir, "its weights are not safetensors",
        "convert them with transformers: "
        "AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(NEW, safe_serialization=True)");
  }
  return ModelDirInvalidError(dir, "it has no *.safetensors file",
                              "download the weights too (a clone without git-lfs or a partial download lacks them)");
}

}  // namespace

absl::StatusOr<std::vector<ModelFile>> ScanModelDir(const std::string& dir) {
  std::error_code error;
  if (!fs::exists(dir, error)) return FileUnreadableError(dir, ENOENT);
  if (!fs::is_directory(dir, error))
    return ModelDirInvalidError(dir, "it is not a folder", "give the folder, not a file");

  std::vector<ModelFile> files;
  bool other_weights = false;
  fs::recursive_directory_iterator it(dir, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const fs::path relative = it->path().lexically_relative(dir);
    std::error_code unknown;
    if (IsLeftOut(relative)) {
      if (it->is_directory(unknown)) it.disable_recursion_pending();
      other_weights |= !relative.filename().native().starts_with('.');
      continue;
    }
    if (!it->is_regular_file(unknown)) continue;
    ABSL_RETURN_IF_ERROR(CheckManifestPath(relative.generic_string()));
    files.push_back({relative.generic_string(), it->path().string(), static_cast<int64_t>(it->file_size(unknown))});
    if (files.size() > limits::kMaxManifestFiles) {
      return ModelDirInvalidError(dir, "it holds more than " + std::to_string(limits::kMaxManifestFiles) + " files",
                                  "give the model's own folder");
    }
  }
  if (error) return FileUnreadableError(dir, error.value());
  std::sort(files.begin(), files.end(), [](const ModelFile& a, const ModelFile& b) { return a.path < b.path; });
  ABSL_RETURN_IF_ERROR(CheckComplete(dir, files, other_weights));
  return files;
}

}  // namespace bitwright::client
