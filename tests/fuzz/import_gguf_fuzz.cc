#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/memory_file.h"
#include "workers/families/config.h"
#include "workers/import/gguf_model.h"

namespace {

namespace worker = bitwright::worker;

int64_t BytesOf(const worker::TensorDeclaration& tensor) {
  int64_t bytes = worker::ByteSize(tensor.dtype);
  for (const int64_t d : tensor.shape) bytes *= d;
  return bytes;
}

}  // namespace

// Whatever is imported is a whole model: a config.json that is read, and of each tensor all of its bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static MemoryFile file;
  file.Set(data, size);
  const auto model = worker::ReadGgufModel({{"fuzz.gguf", worker::ModelFile(file.path())}});
  if (!model.ok()) return 0;
  if (!worker::ParseModelConfig(model->texts.at("config.json")).ok()) std::abort();
  for (const worker::PlainTensor& tensor : model->tensors) {
    int64_t bytes = 0;
    const absl::Status written = tensor.write([&](std::span<const std::byte> part) {
      bytes += static_cast<int64_t>(part.size());
      return absl::OkStatus();
    });
    if (!written.ok() || bytes != BytesOf(tensor.declaration)) std::abort();
  }
  return 0;
}
