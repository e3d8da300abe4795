#include "proto/inputs/folder_json.h"

#include <nlohmann/json.hpp>

namespace bitwright {

using nlohmann::json;

json FolderJson(const ModelFolder& folder, const std::string& path, int64_t most) {
  if (!folder.Has(path)) return json::object();
  const auto text = folder.read(path, most);
  if (!text.ok()) return json::object();
  json value = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : json::object();
}

std::string StringField(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace bitwright
