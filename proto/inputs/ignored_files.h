#pragma once

#include <string>
#include <string_view>

namespace bitwright {

// Why a file of a model's folder is not part of the model, for people: "a second copy of the weights", "the state of a
// training run" … By its path alone.
std::string_view WhyIgnored(std::string_view path);

// Whether a name is that of weights, in whatever form: safetensors, PyTorch, TensorFlow, Flax, ONNX, GGUF …
bool IsWeightsName(std::string_view path);

}  // namespace bitwright
