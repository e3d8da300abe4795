#pragma once

#include <array>
#include <string>
#include <string_view>

namespace bitwright {

// The decoders that workers run, as config.json names them, and the family that each belongs to.
struct SupportedArchitecture {
  std::string_view architecture;
  std::string_view family;  // also config.json's model_type
};
inline constexpr std::array<SupportedArchitecture, 4> kArchitectures{{
    {"LlamaForCausalLM", "llama"},
    {"MistralForCausalLM", "mistral"},
    {"Qwen2ForCausalLM", "qwen2"},
    {"Qwen3ForCausalLM", "qwen3"},
}};

// Of an architecture, and of the architecture of a family; empty for any that is not supported.
constexpr std::string_view FamilyOf(std::string_view architecture) {
  for (const SupportedArchitecture& one : kArchitectures) {
    if (one.architecture == architecture) return one.family;
  }
  return {};
}
constexpr std::string_view ArchitectureOf(std::string_view family) {
  for (const SupportedArchitecture& one : kArchitectures) {
    if (one.family == family) return one.architecture;
  }
  return {};
}

// "LlamaForCausalLM, MistralForCausalLM … and Qwen3ForCausalLM"
inline std::string ArchitectureList() {
  std::string list;
  for (size_t i = 0; i < kArchitectures.size(); ++i) {
    list += i == 0 ? "" : i + 1 == kArchitectures.size() ? " and " : ", ";
    list += kArchitectures[i].architecture;
  }
  return list;
}

}  // namespace bitwright
