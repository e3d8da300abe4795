#include "proto/inputs/ignored_files.h"

#include <algorithm>
#include <iterator>

namespace bitwright {
namespace {

struct Pattern {
  enum class At { kBegin, kEnd, kName } at;  // of the path; kName: the last part of it
  std::string_view text;
  std::string_view why;
};

constexpr std::string_view kCopy = "a second copy of the weights";
constexpr std::string_view kTraining = "the state of a training run";
constexpr std::string_view kOtherForm = "the model in another form";

// The first that fits.
constexpr Pattern kPatterns[] = {
    {Pattern::At::kBegin, ".", "hidden"},
    {Pattern::At::kBegin, "checkpoint-", "a checkpoint of a training run"},
    {Pattern::At::kBegin, "global_step", kTraining},
    {Pattern::At::kBegin, "runs/", kTraining},
    {Pattern::At::kName, "optimizer.pt", kTraining},
    {Pattern::At::kName, "optimizer.bin", kTraining},
    {Pattern::At::kName, "scheduler.pt", kTraining},
    {Pattern::At::kName, "training_args.bin", kTraining},
    {Pattern::At::kName, "trainer_state.json", kTraining},
    {Pattern::At::kBegin, "rng_state", kTraining},
    {Pattern::At::kName, "adapter_config.json", "an adapter"},
    {Pattern::At::kBegin, "adapter_model.", "an adapter"},
    {Pattern::At::kBegin, "onnx/", kOtherForm},
    {Pattern::At::kBegin, "openvino/", kOtherForm},
    {Pattern::At::kBegin, "coreml/", kOtherForm},
    {Pattern::At::kEnd, ".onnx", kOtherForm},
    {Pattern::At::kEnd, ".onnx_data", kOtherForm},
    {Pattern::At::kEnd, ".gguf", kOtherForm},
    {Pattern::At::kEnd, ".ggml", kOtherForm},
    {Pattern::At::kEnd, ".tflite", kOtherForm},
    {Pattern::At::kEnd, ".mlmodel", kOtherForm},
    {Pattern::At::kEnd, ".index.json", kCopy},
    {Pattern::At::kEnd, ".safetensors", kCopy},
    {Pattern::At::kEnd, ".bin", kCopy},
    {Pattern::At::kEnd, ".pt", kCopy},
    {Pattern::At::kEnd, ".pth", kCopy},
    {Pattern::At::kEnd, ".ckpt", kCopy},
    {Pattern::At::kEnd, ".h5", kCopy},
    {Pattern::At::kEnd, ".msgpack", kCopy},
    {Pattern::At::kEnd, ".ot", kCopy},
    {Pattern::At::kEnd, ".npz", kCopy},
    {Pattern::At::kEnd, ".py", "code that the artifact does without"},
    {Pattern::At::kName, "README.md", "the model's card; the artifact has one of its own"},
};

constexpr std::string_view kWeightEndings[] = {".safetensors", ".bin",  ".pt",   ".pth",  ".ckpt", ".h5",
                                               ".msgpack",     ".onnx", ".gguf", ".ggml", ".ot",   ".npz"};

}  // namespace

std::string_view WhyIgnored(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const Pattern& pattern : kPatterns) {
    const bool fits = pattern.at == Pattern::At::kBegin ? path.starts_with(pattern.text)
                      : pattern.at == Pattern::At::kEnd ? path.ends_with(pattern.text)
                                                        : name == pattern.text;
    if (fits) return pattern.why;
  }
  return "not part of the model";
}

bool IsWeightsName(std::string_view path) {
  return std::any_of(std::begin(kWeightEndings), std::end(kWeightEndings),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

}  // namespace bitwright
