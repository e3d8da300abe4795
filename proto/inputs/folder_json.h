#pragma once

#include <nlohmann/json_fwd.hpp>

#include "proto/inputs/model_folder.h"

namespace bitwright {

// The JSON object in the file `path` of a folder; an empty object where the file is missing, unreadable, longer than
// `most` bytes or no object: whoever sorts or recognizes files takes what is there, and leaves it to the readers of the
// file to refuse it.
nlohmann::json FolderJson(const ModelFolder& folder, const std::string& path, int64_t most = int64_t{64} << 20);

// The string at object[field]; empty where there is none.
std::string StringField(const nlohmann::json& object, const char* field);

}  // namespace bitwright
