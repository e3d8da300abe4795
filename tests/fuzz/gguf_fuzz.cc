#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/fuzz/memory_file.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_writer.h"

namespace {

namespace worker = bitwright::worker;

// Every value can be read as some kind; which one does not matter.
size_t ReadAll(const worker::GgufMetadata& metadata) {
  size_t read = 0;
  for (const auto& [key, value] : metadata.entries()) {
    if (metadata.Text(key).ok() || metadata.Truth(key).ok() || metadata.Integer(key).ok()) ++read;
    if (metadata.Real(key).ok() || metadata.Texts(key).ok() || metadata.Truths(key).ok()) ++read;
    if (metadata.Integers(key).ok() || metadata.Reals(key).ok()) ++read;
  }
  return read;
}

// What would be written of a file is what was read of it.
void CheckHeader(const worker::GgufFile& file, const uint8_t* data) {
  std::vector<worker::GgufSetting> settings;
  for (const auto& entry : file.metadata().entries()) settings.push_back(worker::GgufCopy(entry));
  std::vector<worker::GgufDeclaration> tensors;
  for (const auto& tensor : file.tensors()) tensors.push_back({tensor.name, tensor.shape, tensor.type});
  const auto plan = worker::PlanGguf("fuzz.gguf", settings, tensors);
  if (!plan.ok()) return;  // names of 64 bytes
  const size_t header = plan->header.size() - plan->padding;
  if (header != file.header_bytes()) std::abort();
  constexpr size_t kVersionEnd = 8;  // 2 is read, too
  if (!std::equal(plan->header.begin() + kVersionEnd, plan->header.begin() + static_cast<std::ptrdiff_t>(header),
                  reinterpret_cast<const char*>(data) + kVersionEnd)) {
    std::abort();
  }
}

}  // namespace

// Whatever opens holds tensors that lie inside the file one after the other, each with the bytes of its blocks.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static MemoryFile file;
  file.Set(data, size);
  const auto opened = worker::GgufFile::Open(file.path(), "fuzz.gguf");
  if (!opened.ok()) return 0;
  if (ReadAll(opened->metadata()) > opened->metadata().entries().size()) std::abort();
  CheckHeader(*opened, data);
  size_t end = opened->header_bytes();
  unsigned sum = 0;
  for (const worker::GgufTensor& tensor : opened->tensors()) {
    const size_t begin = static_cast<size_t>(tensor.bytes.data() - opened->bytes().data());
    if (begin < end || begin > size || tensor.bytes.size() > size - begin) std::abort();
    if (begin % static_cast<size_t>(opened->alignment()) != 0) std::abort();
    if (worker::StoredBytes(tensor.type, tensor.shape) != static_cast<int64_t>(tensor.bytes.size())) std::abort();
    for (const std::byte byte : tensor.bytes) sum += static_cast<unsigned>(byte);
    end = begin + tensor.bytes.size();
  }
  if (size >= end + static_cast<size_t>(opened->alignment())) std::abort();
  return sum == 1 ? -1 : 0;
}
