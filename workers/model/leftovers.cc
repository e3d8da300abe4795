#include "workers/model/leftovers.h"

#include <charconv>
#include <string_view>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kBlocks = "model.layers.";

// The number in "model.layers.12.mlp…", or −1.
int64_t BlockOf(std::string_view name) {
  if (!name.starts_with(kBlocks)) return -1;
  name.remove_prefix(kBlocks.size());
  int64_t block = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), block);
  return error == std::errc() && end != name.data() + name.size() && *end == '.' ? block : -1;
}

// The key of config.json that a tensor which should not be there speaks against; null: none does.
const char* ContradictedKey(const ModelConfig& config, std::string_view name) {
  if (name == "lm_head.bias" || name == "model.norm.bias") return "architectures";
  const int64_t block = BlockOf(name);
  if (block < 0 || (!name.ends_with(".weight") && !name.ends_with(".bias"))) return nullptr;
  if (block >= config.layers) return "num_hidden_layers";
  const bool bias = name.ends_with("_proj.bias");
  if (bias && name.find(".self_attn.") != std::string_view::npos && config.family != "mistral") return "attention_bias";
  if (bias && name.find(".mlp.") != std::string_view::npos && config.family == "llama") return "mlp_bias";
  return "architectures";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LeftoverTensors(const Model& model) {
  std::vector<std::string> left;
  for (const auto& [name, located] : model.checkpoint().tensors()) {
    if (model.used().contains(name)) continue;
    if (const char* key = ContradictedKey(model.config(), name)) {
      return ConfigContradictsCheckpointError(located.file, name, key);
    }
    left.push_back(name);
  }
  return left;
}

}  // namespace bitwright::worker
