#pragma once

#include <array>
#include <string>
#include <string_view>

namespace bitwright {

// The decoders that workers run, as config.json names them, and the family that each belongs to.
struct SupportedArchitecture {
  std::string_view architecture;
  std::string_view family;  // also config.json's model_type
  // Of tensors: what all of its decoder's names begin with, and the token embedding behind that.
  std::string_view prefix = "model.";
  std::string_view embedding = "embed_tokens.weight";
};
inline constexpr std::array<SupportedArchitecture, 17> kArchitectures{{
    {"LlamaForCausalLM", "llama"},
    {"MistralForCausalLM", "mistral"},
    {"Qwen2ForCausalLM", "qwen2"},
    {"Qwen3ForCausalLM", "qwen3"},
    {"MixtralForCausalLM", "mixtral"},
    {"Qwen2MoeForCausalLM", "qwen2_moe"},
    {"Qwen3MoeForCausalLM", "qwen3_moe"},
    {"GemmaForCausalLM", "gemma"},
    {"Gemma2ForCausalLM", "gemma2"},
    {"Gemma3ForCausalLM", "gemma3_text"},
    {"Phi3ForCausalLM", "phi3"},
    {"GraniteForCausalLM", "granite"},
    {"Olmo2ForCausalLM", "olmo2"},
    {"StableLmForCausalLM", "stablelm"},
    {"GPT2LMHeadModel", "gpt2", "transformer.", "wte.weight"},
    {"OPTForCausalLM", "opt", "model.decoder."},
    {"GPTNeoXForCausalLM", "gpt_neox", "gpt_neox.", "embed_in.weight"},
}};

// Of an architecture, or of a family; null for any that is not supported.
constexpr const SupportedArchitecture* FindArchitecture(std::string_view architecture) {
  for (const SupportedArchitecture& one : kArchitectures) {
    if (one.architecture == architecture) return &one;
  }
  return nullptr;
}
constexpr const SupportedArchitecture* FindFamily(std::string_view family) {
  for (const SupportedArchitecture& one : kArchitectures) {
    if (one.family == family) return &one;
  }
  return nullptr;
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
