#pragma once

#include <span>
#include <string_view>

namespace bitwright {

// The file formats of consumers that workers write, as users name them. What each can make of a model, its inspection
// tells (TargetInfo).
struct KnownTarget {
  std::string_view name;
  std::span<const std::string_view> formats;    // by rising width
  std::span<const std::string_view> consumers;  // programs that load it
};

inline constexpr std::string_view kCompressedTensorsFormats[] = {
    "int2-g32",     "int2-g64",        "int2-g128",    "int2-channel",  "int3-g32",  "int3-g64",
    "int3-g128",    "int3-channel",    "int4-g32",     "int4-g32-asym", "int4-g64",  "int4-g64-asym",
    "int4-g128",    "int4-g128-asym",  "int4-channel", "mxfp4",         "nvfp4",     "int5-g32",
    "int5-g64",     "int5-g128",       "int5-channel", "int6-g32",      "int6-g64",  "int6-g128",
    "int6-channel", "mxfp6",           "int7-g32",     "int7-g64",      "int7-g128", "int7-channel",
    "int8-g32",     "int8-g32-asym",   "int8-g64",     "int8-g64-asym", "int8-g128", "int8-g128-asym",
    "int8-channel", "int8-channel-a8", "fp8-tensor",   "fp8-channel",   "fp8-block", "mxfp8",
    "unquantized",
};
// Those that plans take only where a recipe or a consumer names them, for what transformers 5.23 does with
// compressed-tensors 0.20. It expects zero points unpacked where it makes room for them, and packed where it reads
// them, and so loads none. It decompresses floats with scales of their own type to bfloat16, whatever the model
// computes in, and then computes with them in models of bfloat16 alone. And those that round inputs: what that costs is
// measured of every plan, but not predicted.
inline constexpr std::string_view kFormatsOnRequest[] = {
    "int4-g32-asym", "int4-g64-asym", "int4-g128-asym", "int8-g32-asym", "int8-g64-asym",   "int8-g128-asym",
    "mxfp4",         "nvfp4",         "mxfp6",          "mxfp8",         "int8-channel-a8",
};
inline constexpr std::string_view kGgufFormats[] = {
    "Q2_K",   "IQ2_XXS", "IQ2_XS", "IQ2_S", "Q3_K", "IQ3_XXS", "IQ3_S", "Q4_0", "Q4_1",        "Q4_K",
    "IQ4_NL", "IQ4_XS",  "MXFP4",  "Q5_0",  "Q5_1", "Q5_K",    "Q6_K",  "Q8_0", "unquantized",
};
inline constexpr std::string_view kGptqFormats[] = {
    "int2-g32-f16",  "int2-g64-f16",     "int2-g128-f16", "int2-channel-f16", "int3-g32-f16",  "int3-g64-f16",
    "int3-g128-f16", "int3-channel-f16", "int4-g32-f16",  "int4-g64-f16",     "int4-g128-f16", "int4-channel-f16",
    "int8-g32-f16",  "int8-g64-f16",     "int8-g128-f16", "int8-channel-f16", "unquantized",
};
inline constexpr std::string_view kCompressedTensorsConsumers[] = {"transformers", "vllm-blackwell", "vllm-newest",
                                                                   "vllm"};
inline constexpr std::string_view kGgufConsumers[] = {"llama.cpp"};
inline constexpr std::string_view kGptqConsumers[] = {"gptqmodel", "transformers", "vllm"};

// The first is the default.
inline constexpr KnownTarget kTargets[] = {
    {"compressed-tensors", kCompressedTensorsFormats, kCompressedTensorsConsumers},
    {"gguf", kGgufFormats, kGgufConsumers},
    {"gptq", kGptqFormats, kGptqConsumers},
};

}  // namespace bitwright
