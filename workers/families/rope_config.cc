#include "workers/families/rope_config.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// As Python's `if value`.
bool Truthy(const json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

absl::StatusOr<double> Number(const json& value, const char* field) {
  if (!value.is_number()) return ConfigInvalidError(field, value.is_null() ? "is null" : "is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) return ConfigInvalidError(field, "is not finite");
  return number;
}

absl::StatusOr<double> Positive(const json& value, const char* field) {
  ABSL_ASSIGN_OR_RETURN(const double number, Number(value, field));
  if (number <= 0) return ConfigUnsupportedError(field, value.dump(), "numbers above 0");
  return number;
}

absl::StatusOr<double> Required(const json& from, const char* field) {
  if (!from.contains(field)) return ConfigInvalidError(field, "is missing");
  return Positive(from[field], field);
}

// What is there as a number ≥ 0; where nothing or null is, or 0 and it is `or`-ed with the default, `fallback`.
absl::StatusOr<double> Optional(const json& from, const char* field, double fallback) {
  if (!from.contains(field) || !Truthy(from[field])) return fallback;
  return Positive(from[field], field);
}

absl::StatusOr<json> Parameters(const json& config) {
  json from = json::object();
  if (config.contains("rope_parameters")) {
    const json& parameters = config["rope_parameters"];
    if (!parameters.is_object() && !parameters.is_null()) {
      return ConfigInvalidError("rope_parameters", "is not an object");
    }
    if (parameters.is_object()) from = parameters;
  }
  if (config.contains("rope_scaling") && Truthy(config["rope_scaling"])) {
    if (!config["rope_scaling"].is_object()) return ConfigInvalidError("rope_scaling", "is not an object");
    from = config["rope_scaling"];
  }
  for (const auto& item : from.items()) {
    if (item.value().is_object()) {
      return ConfigUnsupportedError("rope_parameters", item.key(), "one set of parameters for all layers");
    }
  }
  return from;
}

absl::StatusOr<RopeConfig::Kind> ReadKind(const json& from, const RopeKeys& keys) {
  using Kind = RopeConfig::Kind;
  constexpr std::pair<std::string_view, Kind> kKinds[] = {{"default", Kind::kDefault}, {"linear", Kind::kLinear},
                                                          {"dynamic", Kind::kDynamic}, {"llama3", Kind::kLlama3},
                                                          {"yarn", Kind::kYarn},       {"longrope", Kind::kLongRope}};
  const char* field = from.contains("rope_type") ? "rope_type" : "type";
  if (!from.contains(field)) return Kind::kDefault;
  if (!from[field].is_string()) return ConfigInvalidError(field, from[field].is_null() ? "is null" : "is not a string");
  std::string name = from[field].get<std::string>();
  if (keys.only_longrope) {
    if (name == "su" || name == "yarn") name = "longrope";
    if (name != "default" && name != "longrope") return ConfigInvalidError(field, "is neither default nor longrope");
  }
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return ConfigUnsupportedError("rope_type", name, "default, linear, dynamic, llama3, yarn, longrope");
}

absl::StatusOr<double> RotaryFactor(const json& config, const json& from, RopeConfig::Kind kind, int64_t head_dim,
                                    const RopeKeys& keys) {
  const char* field = keys.rotary_factor;
  json factor = keys.default_rotary_factor;
  if (config.contains(field) && !config[field].is_null()) factor = config[field];
  if (from.contains("partial_rotary_factor")) {
    field = "partial_rotary_factor";
    factor = from[field];
  }
  if (factor.is_null() && kind == RopeConfig::Kind::kDefault && !keys.partial) return 1;  // nobody reads it
  if (factor.is_null()) return ConfigInvalidError(field, "is null");
  if (!keys.partial && factor != 1) return ConfigUnsupportedError(field, factor.dump(), "1");
  if (!factor.is_number()) return ConfigInvalidError(field, "is not a number");
  const double share = factor.get<double>();
  const int64_t rotary = static_cast<int64_t>(static_cast<double>(head_dim) * share);
  if (!(share > 0 && share <= 1) || rotary < 2 || rotary % 2 != 0) {
    return ConfigUnsupportedError(field, factor.dump(), "shares of a head up to 1 that hold whole pairs");
  }
  return share;
}

absl::StatusOr<double> OriginalPositions(const json& config, const json& from, int64_t max_positions) {
  constexpr char kField[] = "original_max_position_embeddings";
  double positions = static_cast<double>(max_positions);
  if (from.contains(kField)) {
    ABSL_ASSIGN_OR_RETURN(positions, Positive(from[kField], kField));
  }
  if (config.contains(kField)) {
    ABSL_ASSIGN_OR_RETURN(positions, Positive(config[kField], kField));
  }
  return positions;
}

absl::Status ReadYarn(const json& from, int64_t max_positions, RopeConfig& rope) {
  if (!from.contains("factor")) return ConfigInvalidError("factor", "is missing");
  if (from["factor"].is_null()) {
    rope.factor = static_cast<double>(max_positions) / rope.original_max_positions;
  } else {
    ABSL_ASSIGN_OR_RETURN(rope.factor, Positive(from["factor"], "factor"));
  }
  ABSL_ASSIGN_OR_RETURN(rope.beta_fast, Optional(from, "beta_fast", 32));
  ABSL_ASSIGN_OR_RETURN(rope.beta_slow, Optional(from, "beta_slow", 1));
  ABSL_ASSIGN_OR_RETURN(rope.mscale, Optional(from, "mscale", 0));
  ABSL_ASSIGN_OR_RETURN(rope.mscale_all_dim, Optional(from, "mscale_all_dim", 0));
  if (from.contains("attention_factor") && !from["attention_factor"].is_null()) {
    ABSL_ASSIGN_OR_RETURN(rope.attention_factor, Positive(from["attention_factor"], "attention_factor"));
  }
  if (from.contains("truncate")) {
    const json& truncate = from["truncate"];
    if (!truncate.is_boolean() && !truncate.is_null()) {
      return ConfigUnsupportedError("truncate", truncate.dump(), "true, false");
    }
    rope.truncate = Truthy(truncate);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> ReadFactors(const json& from, const char* field, size_t pairs) {
  if (!from.contains(field)) return ConfigInvalidError(field, "is missing");
  const json& list = from[field];
  if (!list.is_array()) return ConfigInvalidError(field, "is not a list of numbers");
  if (list.size() != pairs) {
    return ConfigInvalidError(field, "has " + std::to_string(list.size()) + " elements for " + std::to_string(pairs) +
                                         " pairs that are rotated");
  }
  std::vector<double> factors;
  for (const json& element : list) {
    ABSL_ASSIGN_OR_RETURN(const double factor, Positive(element, field));
    factors.push_back(factor);
  }
  return factors;
}

absl::Status ReadLongRope(const json& from, int64_t max_positions, int64_t head_dim, RopeConfig& rope) {
  const size_t pairs = static_cast<size_t>(rope.Rotary(head_dim) / 2);
  ABSL_ASSIGN_OR_RETURN(rope.short_factor, ReadFactors(from, "short_factor", pairs));
  ABSL_ASSIGN_OR_RETURN(rope.long_factor, ReadFactors(from, "long_factor", pairs));
  rope.factor = static_cast<double>(max_positions) / rope.original_max_positions;
  if (from.contains("factor") && !from["factor"].is_null()) {
    ABSL_ASSIGN_OR_RETURN(rope.factor, Positive(from["factor"], "factor"));
  }
  if (from.contains("attention_factor") && !from["attention_factor"].is_null()) {
    ABSL_ASSIGN_OR_RETURN(rope.attention_factor, Positive(from["attention_factor"], "attention_factor"));
  }
  return absl::OkStatus();
}

absl::StatusOr<double> ReadTheta(const json& config, const json& from, const RopeKeys& keys) {
  const char* field = keys.theta;
  json theta = keys.default_theta;
  if (config.contains(field)) theta = config[field];
  if (from.contains("rope_theta")) {
    field = "rope_theta";
    theta = from[field];
  }
  ABSL_ASSIGN_OR_RETURN(const double number, Positive(theta, field));
  if (number <= 1) return ConfigUnsupportedError(field, theta.dump(), "numbers above 1");
  return number;
}

}  // namespace

absl::StatusOr<RopeConfig> ReadRopeConfig(const json& config, int64_t max_positions, int64_t head_dim,
                                          const RopeKeys& keys) {
  using Kind = RopeConfig::Kind;
  ABSL_ASSIGN_OR_RETURN(const json from, Parameters(config));
  RopeConfig rope;
  ABSL_ASSIGN_OR_RETURN(rope.theta, ReadTheta(config, from, keys));
  ABSL_ASSIGN_OR_RETURN(rope.kind, ReadKind(from, keys));
  ABSL_ASSIGN_OR_RETURN(rope.rotary_factor, RotaryFactor(config, from, rope.kind, head_dim, keys));
  rope.max_positions = static_cast<double>(max_positions);
  if (rope.kind == Kind::kDefault) return rope;
  if (rope.kind == Kind::kLlama3 || rope.kind == Kind::kYarn || rope.kind == Kind::kLongRope) {
    ABSL_ASSIGN_OR_RETURN(rope.original_max_positions, OriginalPositions(config, from, max_positions));
  }
  if (rope.kind == Kind::kYarn) {
    ABSL_RETURN_IF_ERROR(ReadYarn(from, max_positions, rope));
    return rope;
  }
  if (rope.kind == Kind::kLongRope) {
    ABSL_RETURN_IF_ERROR(ReadLongRope(from, max_positions, head_dim, rope));
    return rope;
  }
  ABSL_ASSIGN_OR_RETURN(rope.factor, Required(from, "factor"));
  if (rope.kind == Kind::kDynamic && rope.Rotary(head_dim) <= 2) {
    return ConfigUnsupportedError("head_dim", std::to_string(head_dim), "more than one pair for a dynamic rope");
  }
  if (rope.kind == Kind::kLlama3) {
    ABSL_ASSIGN_OR_RETURN(rope.low_freq_factor, Required(from, "low_freq_factor"));
    ABSL_ASSIGN_OR_RETURN(rope.high_freq_factor, Required(from, "high_freq_factor"));
  }
  return rope;
}

}  // namespace bitwright::worker
