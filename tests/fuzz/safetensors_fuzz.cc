#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/memory_file.h"
#include "workers/checkpoint/safetensors.h"

// Whatever opens holds tensors that lie inside the file and cover its data part exactly.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static MemoryFile file;
  file.Set(data, size);
  const auto opened = bitwright::worker::SafetensorsFile::Open(file.path(), "fuzz.safetensors");
  if (!opened.ok()) return 0;
  size_t covered = 0;
  unsigned sum = 0;
  for (const auto& [name, view] : opened->tensors()) {
    const int64_t bytes = view.elements() * bitwright::worker::ByteSize(view.dtype);
    if (bytes != static_cast<int64_t>(view.bytes.size())) std::abort();
    covered += view.bytes.size();
    for (const std::byte byte : view.bytes) sum += static_cast<unsigned>(byte);
    if (bitwright::worker::IsWeightType(view.dtype)) bitwright::worker::FirstNonFinite(view);
  }
  uint64_t header = 0;
  std::memcpy(&header, data, 8);
  if (8 + header + covered != size) std::abort();
  return sum == 1 ? -1 : 0;
}
