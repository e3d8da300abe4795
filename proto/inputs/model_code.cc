#include "proto/inputs/model_code.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "proto/inputs/folder_json.h"

namespace bitwright {
namespace {

using nlohmann::json;

constexpr int64_t kMostCodeBytes = 4 << 20;

// "tokenization_x.XTokenizer" names tokenization_x.py; "owner/name--module.Class" is code of another repository.
void AddModule(const json& value, std::set<std::string>& files) {
  if (!value.is_string()) return;
  const std::string name = value.get<std::string>();
  const size_t dot = name.find('.');
  if (dot == 0 || dot == std::string::npos || name.find("--") != std::string::npos) return;
  files.insert(name.substr(0, dot) + ".py");
}

std::set<std::string> MappedModules(const ModelFolder& folder, const std::string& config) {
  const json object = FolderJson(folder, config);
  std::set<std::string> files;
  const auto map = object.find("auto_map");
  if (map == object.end() || !map->is_object()) return files;
  for (const auto& item : map->items()) {
    if (!item.value().is_array()) AddModule(item.value(), files);
    if (item.value().is_array()) {  // a slow and a fast class, either may be null
      for (const json& one : item.value()) AddModule(one, files);
    }
  }
  return files;
}

// Modules that a line like "from .vocabulary import Words" imports.
std::vector<std::string> ImportedModules(std::string_view code) {
  std::vector<std::string> files;
  while (!code.empty()) {
    const std::string_view line = code.substr(0, code.find('\n'));
    code.remove_prefix(std::min(code.size(), line.size() + 1));
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || !line.substr(first).starts_with("from .")) continue;
    const std::string_view module = line.substr(first + 6);
    const size_t end = module.find_first_of(" \t.");
    if (end != 0 && end != std::string_view::npos) files.push_back(std::string(module.substr(0, end)) + ".py");
  }
  return files;
}

}  // namespace

std::set<std::string> TokenizerCode(const ModelFolder& folder) {
  std::vector<std::string> waiting;
  for (const char* config : {"tokenizer_config.json", "processor_config.json", "preprocessor_config.json"}) {
    for (const std::string& file : MappedModules(folder, config)) waiting.push_back(file);
  }
  std::set<std::string> files;
  while (!waiting.empty()) {
    const std::string file = waiting.back();
    waiting.pop_back();
    if (!folder.Has(file) || !files.insert(file).second) continue;
    const auto code = folder.read(file, kMostCodeBytes);
    if (!code.ok()) continue;
    for (std::string& imported : ImportedModules(*code)) waiting.push_back(std::move(imported));
  }
  return files;
}

std::set<std::string> ModelCode(const ModelFolder& folder) { return MappedModules(folder, "config.json"); }

}  // namespace bitwright
