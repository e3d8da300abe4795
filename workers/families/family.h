#pragma once

#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/families/config.h"
#include "workers/families/config_reader.h"

namespace bitwright::worker {

// One entry of the table of families: all that is particular to it.
struct Family {
  std::string_view name;          // config.json's model_type
  std::string_view architecture;  // the class that "architectures" names
  std::span<const ConfigKey> keys;
  // Fills everything but family and architecture. Errors as in ParseModelConfig.
  absl::StatusOr<ModelConfig> (*read)(const ConfigReader& from);
};

// The table, in the order of proto/contract/architectures.h, which names the same families to all sides.
std::span<const Family* const> Families();

}  // namespace bitwright::worker
