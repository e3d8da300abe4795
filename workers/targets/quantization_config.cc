#include "workers/targets/quantization_config.h"

#include <map>
#include <string>
#include <utility>

#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

// How compressed-tensors 0.20 names a format: that of the packed tensors, and QuantizationArgs of the weights and of
// what they are multiplied with.
struct Scheme {
  const char* packing;
  ordered_json weights;
  ordered_json inputs = nullptr;
};

ordered_json Arguments(int bits, const char* type, bool symmetric, const char* strategy, ordered_json group_size) {
  ordered_json arguments;
  arguments["num_bits"] = bits;
  arguments["type"] = type;
  arguments["symmetric"] = symmetric;
  arguments["strategy"] = strategy;
  arguments["group_size"] = std::move(group_size);
  arguments["dynamic"] = false;
  return arguments;
}

Scheme SchemeOf(const IntFormat& format) {
  const bool channel = format.group_size == IntFormat::kChannel;
  Scheme scheme{"pack-quantized", Arguments(format.bits, "int", !format.asymmetric, channel ? "channel" : "group",
                                            channel ? ordered_json(nullptr) : ordered_json(format.group_size))};
  if (!format.Input().rounds()) return scheme;
  scheme.packing = "int-quantized";
  scheme.inputs = Arguments(format.input_bits, "int", true, "token", nullptr);
  scheme.inputs["dynamic"] = true;
  return scheme;
}

const char* PackingOf(const FloatSpec& spec) {
  if (spec.scaling == FloatScaling::kTwoLevels) return "nvfp4-pack-quantized";
  if (spec.scaling != FloatScaling::kPowers) return "float-quantized";
  return spec.bits == 4 ? "mxfp4-pack-quantized" : spec.bits == 6 ? "mxfp6-pack-quantized" : "mxfp8-quantized";
}

Scheme SchemeOf(FloatFormat format) {
  const FloatSpec& spec = SpecOf(format);
  Scheme scheme{PackingOf(spec), Arguments(spec.bits, "float", true, "group", spec.group)};
  switch (spec.scaling) {
    case FloatScaling::kPowers:
      scheme.weights["scale_dtype"] = "torch.uint8";
      break;
    case FloatScaling::kTwoLevels:
      scheme.weights["strategy"] = "tensor_group";
      scheme.weights["scale_dtype"] = "torch.float8_e4m3fn";
      break;
    case FloatScaling::kTensor:
    case FloatScaling::kChannel:
      scheme.weights["strategy"] = spec.scaling == FloatScaling::kTensor ? "tensor" : "channel";
      scheme.weights["group_size"] = nullptr;
      break;
    case FloatScaling::kBlock:
      scheme.weights["strategy"] = "block";
      scheme.weights["group_size"] = nullptr;
      scheme.weights["block_structure"] = {kScaleBlock, kScaleBlock};
      break;
  }
  return scheme;
}

Scheme SchemeOf(const Format& format) {
  const auto* integers = std::get_if<IntFormat>(&format);
  return integers != nullptr ? SchemeOf(*integers) : SchemeOf(std::get<FloatFormat>(format));
}

// What one format is used for: names of linears, and patterns.
using Names = std::map<Format, ordered_json>;

Names NamesOf(const v1::Plan& plan, const google::protobuf::RepeatedPtrField<v1::UnitInfo>& units) {
  Names names;
  std::map<std::string, Format> tied;
  for (int u = 0; u < plan.units_size(); ++u) {
    const Format format = PlannedFormat(plan.units(u));
    ordered_json& own = names[format];
    if (!units[u].tie().empty()) {
      tied[units[u].tie()] = format;
      continue;
    }
    for (const auto& linear : units[u].linears()) own.push_back(linear.name());
  }
  // transformers holds all experts in one tensor and finds their group by a pattern that names them.
  for (const auto& [tie, format] : tied) names[format].push_back("re:.*\\." + tie + "\\..*");
  return names;
}

}  // namespace

ordered_json QuantizationConfig(const v1::Plan& plan, const google::protobuf::RepeatedPtrField<v1::UnitInfo>& units) {
  ordered_json groups, ignored = {"lm_head"};
  std::string packing;
  for (auto& [format, names] : NamesOf(plan, units)) {
    if (std::holds_alternative<PlainFormat>(format)) {
      ignored.insert(ignored.end(), names.begin(), names.end());
      continue;
    }
    Scheme scheme = SchemeOf(format);
    ordered_json& group = groups["group_" + std::to_string(groups.size())];
    group["format"] = scheme.packing;
    group["targets"] = std::move(names);
    group["weights"] = std::move(scheme.weights);
    group["input_activations"] = std::move(scheme.inputs);
    group["output_activations"] = nullptr;
    packing = packing.empty() || packing == scheme.packing ? scheme.packing : "mixed-precision";
  }
  if (groups.empty()) return nullptr;
  ordered_json config;
  config["quant_method"] = "compressed-tensors";
  config["format"] = packing;
  config["quantization_status"] = "compressed";
  config["config_groups"] = std::move(groups);
  config["ignore"] = std::move(ignored);
  config["kv_cache_scheme"] = nullptr;
  config["global_compression_ratio"] = nullptr;
  return config;
}

}  // namespace bitwright::worker
