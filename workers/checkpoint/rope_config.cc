#include "workers/checkpoint/rope_config.h"

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

absl::StatusOr<RopeConfig::Kind> ReadKind(const json& from) {
  using Kind = RopeConfig::Kind;
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"default", Kind::kDefault}, {"linear", Kind::kLinear}, {"llama3", Kind::kLlama3}, {"yarn", Kind::kYarn}};
  const char* field = from.contains("rope_type") ? "rope_type" : "type";
  if (!from.contains(field)) return Kind::kDefault;
  if (!from[field].is_string()) return ConfigInvalidError(field, from[field].is_null() ? "is null" : "is not a string");
  const std::string name = from[field].get<std::string>();
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return ConfigUnsupportedError("rope_type", name, "default, linear, llama3, yarn");
}

// Readers differ in what a partial rotation means for these families, so only the whole one is taken.
absl::Status CheckPartialRotation(const json& config, const json& from, RopeConfig::Kind kind) {
  constexpr char kField[] = "partial_rotary_factor";
  json factor = 1;
  if (config.contains(kField) && !config[kField].is_null()) factor = config[kField];
  if (from.contains(kField)) factor = from[kField];
  if (factor.is_null() && kind == RopeConfig::Kind::kDefault) return absl::OkStatus();  // nobody reads it
  if (factor.is_null()) return ConfigInvalidError(kField, "is null");
  if (factor != 1) return ConfigUnsupportedError(kField, factor.dump(), "1");
  return absl::OkStatus();
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

absl::StatusOr<double> ReadTheta(const json& config, const json& from) {
  constexpr char kField[] = "rope_theta";
  json theta = 10000;
  if (config.contains(kField)) theta = config[kField];
  if (from.contains(kField)) theta = from[kField];
  ABSL_ASSIGN_OR_RETURN(const double number, Positive(theta, kField));
  if (number <= 1) return ConfigUnsupportedError(kField, theta.dump(), "numbers above 1");
  return number;
}

}  // namespace

absl::StatusOr<RopeConfig> ReadRopeConfig(const json& config, int64_t max_positions) {
  ABSL_ASSIGN_OR_RETURN(const json from, Parameters(config));
  RopeConfig rope;
  ABSL_ASSIGN_OR_RETURN(rope.theta, ReadTheta(config, from));
  ABSL_ASSIGN_OR_RETURN(rope.kind, ReadKind(from));
  ABSL_RETURN_IF_ERROR(CheckPartialRotation(config, from, rope.kind));
  if (rope.kind == RopeConfig::Kind::kDefault) return rope;
  if (rope.kind == RopeConfig::Kind::kLlama3 || rope.kind == RopeConfig::Kind::kYarn) {
    ABSL_ASSIGN_OR_RETURN(rope.original_max_positions, OriginalPositions(config, from, max_positions));
  }
  if (rope.kind == RopeConfig::Kind::kYarn) {
    ABSL_RETURN_IF_ERROR(ReadYarn(from, max_positions, rope));
    return rope;
  }
  ABSL_ASSIGN_OR_RETURN(rope.factor, Required(from, "factor"));
  if (rope.kind == RopeConfig::Kind::kLlama3) {
    ABSL_ASSIGN_OR_RETURN(rope.low_freq_factor, Required(from, "low_freq_factor"));
    ABSL_ASSIGN_OR_RETURN(rope.high_freq_factor, Required(from, "high_freq_factor"));
  }
  return rope;
}

}  // namespace bitwright::worker
