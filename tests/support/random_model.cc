#include "tests/support/random_model.h"

#include <cmath>
#include <vector>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/families/config.h"
#include "workers/model/gradient_run.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {

absl::Status WriteRandomModel(const std::string& config, const std::string& dir, uint64_t seed) {
  ABSL_ASSIGN_OR_RETURN(const ModelConfig parsed, ParseModelConfig(config));
  ABSL_RETURN_IF_ERROR(WriteFile(dir + "/config.json", config));
  const std::vector<TensorSpec> specs = RequiredTensors(parsed);
  std::vector<TensorDeclaration> declared;
  for (const TensorSpec& spec : specs) declared.push_back({spec.name, DType::kBF16, spec.shape});
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                        SafetensorsWriter::Create(dir + "/model.safetensors", declared, {{"format", "pt"}}));
  uint64_t counter = 0;
  std::vector<uint16_t> values;
  for (const TensorSpec& spec : specs) {
    size_t count = 1;
    for (const int64_t d : spec.shape) count *= static_cast<size_t>(d);
    values.assign(count, FloatToBf16(1));
    const double spread = std::sqrt(12.0 / static_cast<double>(spec.shape.back()));
    for (size_t i = 0; spec.shape.size() > 1 && i < count; ++i) {
      values[i] = FloatToBf16(static_cast<float>(spread * (UniformAt(seed, counter++) - 0.5)));
    }
    ABSL_RETURN_IF_ERROR(writer.Append(values.data(), count * sizeof(uint16_t)));
  }
  return writer.Close();
}

absl::Status WriteRandomIds(const std::string& path, int64_t vocab, int64_t windows, int64_t window, uint64_t seed) {
  std::string text;
  uint64_t counter = 0;
  for (int64_t w = 0; w < windows; ++w) {
    for (int64_t i = 0; i < window; ++i) {
      text += i == 0 ? "[" : ",";
      text += std::to_string(static_cast<int64_t>(UniformAt(seed, counter++) * static_cast<double>(vocab)));
    }
    text += "]\n";
  }
  return WriteFile(path, text);
}

}  // namespace bitwright::worker
