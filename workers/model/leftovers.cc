#include "workers/model/leftovers.h"

#include <charconv>
#include <string_view>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

// The number in "model.layers.12.mlp…", or −1. `first` is the prefix of block 0.
int64_t BlockOf(std::string_view first, std::string_view name) {
  const std::string_view blocks = first.substr(0, first.size() - 2);  // without "0."
  if (!name.starts_with(blocks)) return -1;
  name.remove_prefix(blocks.size());
  int64_t block = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), block);
  return error == std::errc() && end != name.data() + name.size() && *end == '.' ? block : -1;
}

std::string BiasOf(const std::string& weight) {
  return weight.substr(0, weight.size() - std::string_view("weight").size()) + "bias";
}

// The key that says whether a linear of the block has the bias of this name; "architectures" where it is none's.
std::string BiasKey(const BlockProgram& program, std::string_view name) {
  for (const auto* units : {&program.units, &program.kept}) {
    for (const UnitSpec& unit : *units) {
      for (const LinearSpec& linear : unit.linears) {
        if (linear.name + ".bias" == name && !linear.bias_key.empty()) return linear.bias_key;
      }
    }
  }
  return "architectures";
}

// The key of config.json that a tensor which should not be there speaks against; empty: none does.
std::string ContradictedKey(const ModelConfig& config, const BlockProgram& first, const std::string& name) {
  const std::string& norm = config.head.norm.weight;
  if (name == BiasOf(config.head.weight) || (!norm.empty() && name == BiasOf(norm))) return "architectures";
  const int64_t block = BlockOf(first.prefix, name);
  if (block < 0 || (!name.ends_with(".weight") && !name.ends_with(".bias"))) return {};
  for (const std::string& ignored : config.ignored) {
    if (name.ends_with(ignored)) return {};
  }
  if (block >= config.layers) return config.layers_key;
  return BiasKey(config.block(block), name);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LeftoverTensors(const Model& model) {
  const BlockProgram first = model.config().block(0);
  std::vector<std::string> left;
  for (const auto& [name, located] : model.checkpoint().tensors()) {
    if (model.used().contains(name)) continue;
    if (const std::string key = ContradictedKey(model.config(), first, name); !key.empty()) {
      return ConfigContradictsCheckpointError(located.file, name, key);
    }
    left.push_back(name);
  }
  return left;
}

}  // namespace bitwright::worker
