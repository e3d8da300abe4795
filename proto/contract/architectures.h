#pragma once

#include <array>
#include <string_view>

namespace bitwright {

// The decoders that workers run, as config.json names them, and the family that each belongs to.
struct SupportedArchitecture {
  std::string_view architecture;
  std::string_view family;
};
inline constexpr std::array<SupportedArchitecture, 4> kArchitectures{{
    {"LlamaForCausalLM", "llama"},
    {"MistralForCausalLM", "mistral"},
    {"Qwen2ForCausalLM", "qwen2"},
    {"Qwen3ForCausalLM", "qwen3"},
}};

}  // namespace bitwright
