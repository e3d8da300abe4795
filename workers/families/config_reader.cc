#include "workers/families/config_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// Keys of every configuration class (transformers 5.23, configuration_utils.py) and of token ids. Of these, arithmetic
// reads pad_token_id and the dtype alone.
constexpr ConfigKey kCommonKeys[] = {
    {"pad_token_id", ConfigKey::kInt | ConfigKey::kNull},
    {"bos_token_id", ConfigKey::kInt | ConfigKey::kNull},
    {"eos_token_id", ConfigKey::kInt | ConfigKey::kInts | ConfigKey::kNull},
    {"dtype", ConfigKey::kText | ConfigKey::kNull},
    {"torch_dtype", ConfigKey::kText | ConfigKey::kNull},
    {"layer_types", ConfigKey::kTexts | ConfigKey::kNull},
    {"initializer_range", ConfigKey::kFraction},
    {"use_cache", ConfigKey::kBool},
    {"is_encoder_decoder", ConfigKey::kBool},
    {"chunk_size_feed_forward", ConfigKey::kInt},
    {"output_hidden_states", ConfigKey::kBool | ConfigKey::kNull},
    {"return_dict", ConfigKey::kBool | ConfigKey::kNull},
    {"transformers_version", ConfigKey::kText | ConfigKey::kNull},
};

unsigned TypeOf(const json& value) {
  if (value.is_null()) return ConfigKey::kNull;
  if (value.is_boolean()) return ConfigKey::kBool;
  if (value.is_number_integer()) return ConfigKey::kInt;
  if (value.is_number_float()) return ConfigKey::kFraction;
  if (value.is_string()) return ConfigKey::kText;
  if (!value.is_array()) return 0;
  const auto all = [&](bool (json::*is)() const noexcept) {
    return std::all_of(value.begin(), value.end(), [&](const json& one) { return (one.*is)(); });
  };
  return (all(&json::is_number_integer) ? ConfigKey::kInts : 0U) | (all(&json::is_string) ? ConfigKey::kTexts : 0U);
}

std::string Expected(unsigned types) {
  constexpr std::pair<unsigned, std::string_view> kWords[] = {
      {ConfigKey::kInt, "an integer"},
      {ConfigKey::kFraction, "a number with a fraction"},
      {ConfigKey::kBool, "true or false"},
      {ConfigKey::kText, "a string"},
      {ConfigKey::kInts, "a list of integers"},
      {ConfigKey::kTexts, "a list of strings"},
      {ConfigKey::kNull, "null"},
  };
  std::string text;
  for (const auto& [type, word] : kWords) {
    if ((types & type) != 0) text += (text.empty() ? "" : " or ") + std::string(word);
  }
  return text;
}

// transformers' names (activations.py).
constexpr std::pair<std::string_view, Activation> kActivations[] = {
    {"silu", Activation::kSilu},          {"swish", Activation::kSilu},
    {"gelu", Activation::kGelu},          {"gelu_new", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh}, {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"relu", Activation::kRelu},
};

}  // namespace

const ConfigKey* ConfigReader::Find(std::string_view name) const {
  const auto named = [&](const ConfigKey& key) { return key.name == name; };
  if (const auto own = std::find_if(keys_.begin(), keys_.end(), named); own != keys_.end()) return &*own;
  const auto* common = std::find_if(std::begin(kCommonKeys), std::end(kCommonKeys), named);
  return common == std::end(kCommonKeys) ? nullptr : common;
}

absl::Status ConfigReader::CheckTypes() const {
  for (const auto& item : config_.items()) {
    const ConfigKey* key = Find(item.key());
    if (key == nullptr || (TypeOf(item.value()) & key->types) != 0) continue;
    return ConfigInvalidError(item.key(), (item.value().is_null() ? "is null" : "is of another type") +
                                              std::string("; it must be ") + Expected(key->types));
  }
  return absl::OkStatus();
}

json ConfigReader::Key(std::string_view name) const {
  const ConfigKey* key = Find(name);
  if (key == nullptr) return nullptr;
  if (const auto found = config_.find(std::string(name)); found != config_.end()) return *found;
  if (key->fallback == ConfigKey::kNone) return nullptr;
  if ((key->types & ConfigKey::kBool) != 0) return key->fallback != 0;
  if ((key->types & ConfigKey::kFraction) != 0) return key->fallback;
  return static_cast<int64_t>(key->fallback);
}

bool ConfigReader::Flag(std::string_view name) const { return Key(name) == true; }

double ConfigReader::Number(std::string_view name) const {
  const json value = Key(name);
  return value.is_number() ? value.get<double>() : 0;
}

absl::StatusOr<int64_t> ConfigReader::Size(const char* name, int64_t fallback) const {
  const json value = Key(name);
  if (value.is_null()) return fallback;
  const int64_t size = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(kMaxSize)
                           ? kMaxSize + 1
                           : value.get<int64_t>();
  if (size < 1 || size > kMaxSize) return ConfigInvalidError(name, "is outside 1.." + std::to_string(kMaxSize));
  return size;
}

absl::StatusOr<double> ConfigReader::Epsilon(const char* name) const {
  const double eps = Number(name);
  if (!std::isfinite(eps) || eps < 0) return ConfigInvalidError(name, "is not a finite number ≥ 0");
  return eps;
}

absl::StatusOr<double> ConfigReader::Factor(const char* name) const {
  const double factor = Number(name);
  if (!std::isfinite(factor) || factor == 0) return ConfigInvalidError(name, "is not a finite number other than 0");
  return factor;
}

absl::StatusOr<Activation> ConfigReader::ActivationOf(const char* name, std::string_view fallback) const {
  const json value = Key(name);
  const std::string function = value.is_string() ? value.get<std::string>() : std::string(fallback);
  for (const auto& [known, activation] : kActivations) {
    if (known == function) return activation;
  }
  return ConfigUnsupportedError(name, function, "silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
}

absl::Status ConfigReader::Require(const char* name, bool wanted) const {
  if (Flag(name) == wanted) return absl::OkStatus();
  return ConfigUnsupportedError(name, wanted ? "false" : "true", wanted ? "true" : "false");
}

}  // namespace bitwright::worker
