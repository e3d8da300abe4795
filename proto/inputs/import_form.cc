#include "proto/inputs/import_form.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "proto/inputs/folder_json.h"
#include "proto/inputs/input_errors.h"

namespace bitwright {
namespace {

using nlohmann::json;

constexpr int64_t kMostConfigBytes = 16 << 20;
constexpr std::string_view kGguf = ".gguf";
constexpr std::string_view kPart = "-00001-of-00003.gguf";  // the end of a part's name, as long as any
constexpr std::string_view kFormat = "float-quantized";
constexpr int kMostParts = 10'000;

bool AtTop(const std::string& path) { return path.find('/') == std::string::npos; }

bool HasSafetensors(const ModelFolder& folder) {
  return std::any_of(folder.paths.begin(), folder.paths.end(),
                     [](const std::string& path) { return AtTop(path) && path.ends_with(".safetensors"); });
}

v1::Import Made(v1::Import::Form form, std::string stored_as) {
  v1::Import made;
  made.set_form(form);
  made.set_stored_as(std::move(stored_as));
  return made;
}

std::string BlockText(const json& config) {
  const auto size = config.find("weight_block_size");
  const bool pair = size != config.end() && size->is_array() && size->size() == 2 && (*size)[0].is_number_integer() &&
                    (*size)[1].is_number_integer();
  if (!pair) return "scales of whole matrices";
  return absl::StrFormat("scales of blocks of %d × %d", (*size)[0].get<int64_t>(), (*size)[1].get<int64_t>());
}

// "float-quantized" of the whole, or of every group where they differ.
bool IsFloatQuantized(const json& config) {
  if (StringField(config, "format") == kFormat) return true;
  const auto groups = config.find("config_groups");
  if (groups == config.end() || !groups->is_object() || groups->empty()) return false;
  return std::all_of(groups->begin(), groups->end(),
                     [](const json& group) { return group.is_object() && StringField(group, "format") == kFormat; });
}

}  // namespace

std::vector<std::string> GgufFiles(const ModelFolder& folder) {
  std::vector<std::string> files;
  for (const std::string& path : folder.paths) {
    const bool other = path.starts_with("mmproj") || path.find("imatrix") != std::string::npos;
    if (AtTop(path) && path.ends_with(kGguf) && !other) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool IsGgufFolder(const ModelFolder& folder) { return !HasSafetensors(folder) && !GgufFiles(folder).empty(); }

std::vector<std::string> SplitNames(const std::string& name) {
  const std::vector<std::string> alone = {name};
  if (name.size() <= kPart.size()) return alone;
  const std::string stem = name.substr(0, name.size() - kPart.size()), end = name.substr(stem.size());
  int number = 0, count = 0;
  const bool numbers = absl::SimpleAtoi(end.substr(1, 5), &number) && absl::SimpleAtoi(end.substr(10, 5), &count);
  if (!numbers || number < 1 || number > count || count > kMostParts) return alone;
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) names.push_back(absl::StrFormat("%s-%05d-of-%05d.gguf", stem, i, count));
  return names[static_cast<size_t>(number - 1)] == name ? names : alone;
}

std::optional<std::string> SeveralGgufs(const ModelFolder& folder) {
  const std::vector<std::string> files = GgufFiles(folder);
  if (files.empty() || HasSafetensors(folder)) return std::nullopt;
  const std::vector<std::string> parts = SplitNames(files.front());
  const bool one = std::all_of(files.begin(), files.end(), [&](const std::string& file) {
    return std::find(parts.begin(), parts.end(), file) != parts.end();
  });
  return one ? std::nullopt : std::optional("'" + absl::StrJoin(files, "', '") + "'");
}

absl::StatusOr<std::vector<std::string>> GgufParts(const ModelFolder& folder) {
  const std::vector<std::string> files = GgufFiles(folder);
  if (files.empty()) return WeightsMissingError(false);
  std::vector<std::string> parts = SplitNames(files.front());
  if (const auto several = SeveralGgufs(folder)) return GgufAmbiguousError(*several);
  for (const std::string& part : parts) {
    if (!folder.Has(part)) return ShardMissingError(part, files.front());
  }
  return parts;
}

std::optional<v1::Import> ImportFormOf(const ModelFolder& folder) {
  if (IsGgufFolder(folder)) return Made(v1::Import::GGUF, "GGUF");
  const json config = FolderJson(folder, "config.json", kMostConfigBytes);
  const auto found = config.find("quantization_config");
  if (found == config.end() || !found->is_object() || !HasSafetensors(folder)) return std::nullopt;
  const std::string method = StringField(*found, "quant_method");
  if (method == "fp8") return Made(v1::Import::FP8, "FP8 (E4M3, " + BlockText(*found) + ")");
  if (method == "compressed-tensors" && IsFloatQuantized(*found)) {
    return Made(v1::Import::FLOAT_QUANTIZED, "compressed-tensors float-quantized (E4M3)");
  }
  return std::nullopt;
}

}  // namespace bitwright
