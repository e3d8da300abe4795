#include "workers/targets/quantization_config.h"

#include <map>
#include <string>
#include <utility>

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

ordered_json WeightsScheme(const v1::IntegerFormat& format) {
  ordered_json scheme;
  scheme["num_bits"] = format.bits();
  scheme["type"] = "int";
  scheme["symmetric"] = true;
  scheme["strategy"] = format.group_size() == 0 ? "channel" : "group";
  scheme["group_size"] = format.group_size() == 0 ? ordered_json(nullptr) : ordered_json(format.group_size());
  scheme["dynamic"] = false;
  return scheme;
}

}  // namespace

ordered_json QuantizationConfig(const v1::Plan& plan, const google::protobuf::RepeatedPtrField<v1::UnitInfo>& units) {
  std::map<std::pair<int, int>, ordered_json> targets;  // (bits, group size) → names
  std::map<std::string, std::pair<int, int>> tied;
  for (int u = 0; u < plan.units_size(); ++u) {
    const v1::IntegerFormat& format = plan.units(u).format().integer();
    ordered_json& names = targets[{format.bits(), format.group_size()}];
    if (!units[u].tie().empty()) {
      tied[units[u].tie()] = {format.bits(), format.group_size()};
      continue;
    }
    for (const auto& linear : units[u].linears()) names.push_back(linear.name());
  }
  // transformers holds all experts in one tensor and finds their group by a pattern that names them.
  for (const auto& [tie, format] : tied) targets[format].push_back("re:.*\\." + tie + "\\..*");
  ordered_json groups;
  for (auto& [key, names] : targets) {
    v1::IntegerFormat format;
    format.set_bits(key.first);
    format.set_group_size(key.second);
    ordered_json& group = groups["group_" + std::to_string(groups.size())];
    group["format"] = "pack-quantized";
    group["targets"] = std::move(names);
    group["weights"] = WeightsScheme(format);
    group["input_activations"] = nullptr;
    group["output_activations"] = nullptr;
  }
  ordered_json config;
  config["quant_method"] = "compressed-tensors";
  config["format"] = "pack-quantized";
  config["quantization_status"] = "compressed";
  config["config_groups"] = std::move(groups);
  config["ignore"] = {"lm_head"};
  config["kv_cache_scheme"] = nullptr;
  config["global_compression_ratio"] = nullptr;
  return config;
}

}  // namespace bitwright::worker
