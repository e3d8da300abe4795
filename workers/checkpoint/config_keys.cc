#include "workers/checkpoint/config_keys.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// Bits of Key.
enum Families : unsigned { kLlama = 1, kMistral = 2, kQwen2 = 4, kQwen3 = 8, kQwen = 12, kAll = 15 };
enum Types : unsigned { kInt = 1, kFraction = 2, kBool = 4, kText = 8, kNull = 16, kInts = 32, kTexts = 64 };

constexpr std::array<std::pair<std::string_view, Families>, 4> kFamilies{{
    {"llama", kLlama},
    {"mistral", kMistral},
    {"qwen2", kQwen2},
    {"qwen3", kQwen3},
}};

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Key {
  std::string_view name;
  unsigned families;
  unsigned types;
  double fallback = kNone;  // of numbers and flags
};

// transformers 5.23, configuration_llama.py, configuration_mistral.py, configuration_qwen2.py, configuration_qwen3.py
// and configuration_utils.py.
constexpr Key kKeys[] = {
    {"hidden_size", kAll, kInt, 4096},
    {"intermediate_size", kLlama, kInt, 11008},
    {"intermediate_size", kMistral, kInt, 14336},
    {"intermediate_size", kQwen, kInt, 22016},
    {"num_hidden_layers", kAll, kInt, 32},
    {"num_attention_heads", kAll, kInt, 32},
    {"num_key_value_heads", kLlama, kInt | kNull},
    {"num_key_value_heads", kMistral, kInt, 8},
    {"num_key_value_heads", kQwen, kInt | kNull, 32},
    {"head_dim", kLlama | kMistral, kInt | kNull},
    {"head_dim", kQwen2, kInt},  // not declared, but read where it is given
    {"head_dim", kQwen3, kInt, 128},
    {"vocab_size", kLlama | kMistral, kInt, 32000},
    {"vocab_size", kQwen, kInt, 151936},
    {"max_position_embeddings", kLlama, kInt, 2048},
    {"max_position_embeddings", kMistral, kInt, 131072},
    {"max_position_embeddings", kQwen, kInt, 32768},
    {"rms_norm_eps", kAll, kFraction, 1e-6},
    {"hidden_act", kAll, kText},
    {"tie_word_embeddings", kAll, kBool, 0},
    {"attention_bias", kLlama | kQwen3, kBool, 0},
    {"mlp_bias", kLlama, kBool, 0},
    {"sliding_window", kMistral | kQwen, kInt | kNull, 4096},
    {"use_sliding_window", kQwen, kBool, 0},
    {"max_window_layers", kQwen, kInt, 28},
    {"layer_types", kAll, kTexts | kNull},
    {"pad_token_id", kAll, kInt | kNull},
    {"dtype", kAll, kText | kNull},
    {"torch_dtype", kAll, kText | kNull},
    // No arithmetic reads these.
    {"bos_token_id", kAll, kInt | kNull},
    {"eos_token_id", kAll, kInt | kInts | kNull},
    {"attention_dropout", kLlama, kInt | kFraction | kNull},
    {"attention_dropout", kMistral | kQwen, kInt | kFraction},
    {"initializer_range", kAll, kFraction},
    {"use_cache", kAll, kBool},
    {"pretraining_tp", kLlama, kInt | kNull},
    {"is_encoder_decoder", kAll, kBool},
    {"chunk_size_feed_forward", kAll, kInt},
    {"output_hidden_states", kAll, kBool | kNull},
    {"return_dict", kAll, kBool | kNull},
    {"transformers_version", kAll, kText | kNull},
};

const Key* FindKey(std::string_view family, std::string_view name) {
  const auto* found =
      std::find_if(kFamilies.begin(), kFamilies.end(), [&](const auto& f) { return f.first == family; });
  if (found == kFamilies.end()) return nullptr;
  for (const Key& key : kKeys) {
    if (key.name == name && (key.families & found->second) != 0) return &key;
  }
  return nullptr;
}

unsigned TypeOf(const json& value) {
  if (value.is_null()) return kNull;
  if (value.is_boolean()) return kBool;
  if (value.is_number_integer()) return kInt;
  if (value.is_number_float()) return kFraction;
  if (value.is_string()) return kText;
  if (!value.is_array()) return 0;
  const auto all = [&](bool (json::*is)() const noexcept) {
    return std::all_of(value.begin(), value.end(), [&](const json& one) { return (one.*is)(); });
  };
  return (all(&json::is_number_integer) ? kInts : 0U) | (all(&json::is_string) ? kTexts : 0U);
}

std::string Expected(unsigned types) {
  constexpr std::pair<unsigned, std::string_view> kWords[] = {
      {kInt, "an integer"}, {kFraction, "a number with a fraction"}, {kBool, "true or false"},
      {kText, "a string"},  {kInts, "a list of integers"},           {kTexts, "a list of strings"},
      {kNull, "null"},
  };
  std::string text;
  for (const auto& [type, word] : kWords) {
    if ((types & type) != 0) text += (text.empty() ? "" : " or ") + std::string(word);
  }
  return text;
}

}  // namespace

absl::Status CheckConfigKeys(const json& config, std::string_view family) {
  for (const auto& item : config.items()) {
    const Key* key = FindKey(family, item.key());
    if (key == nullptr || (TypeOf(item.value()) & key->types) != 0) continue;
    return ConfigInvalidError(item.key(), (item.value().is_null() ? "is null" : "is of another type") +
                                              std::string("; it must be ") + Expected(key->types));
  }
  return absl::OkStatus();
}

json ConfigKey(const json& config, std::string_view family, std::string_view name) {
  const Key* key = FindKey(family, name);
  if (key == nullptr) return nullptr;
  if (const auto found = config.find(std::string(name)); found != config.end()) return *found;
  if (key->fallback != key->fallback) return nullptr;
  if ((key->types & kBool) != 0) return key->fallback != 0;
  if ((key->types & kFraction) != 0) return key->fallback;
  return static_cast<int64_t>(key->fallback);
}

}  // namespace bitwright::worker
