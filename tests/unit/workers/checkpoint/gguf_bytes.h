#pragma once

#include <cstring>
#include <string>
#include <vector>

// The bytes of GGUF files, right or wrong, put together apart from workers/checkpoint.
namespace bitwright {

template <typename T>
std::string GgufWord(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

inline std::string GgufString(const std::string& text) { return GgufWord<uint64_t>(text.size()) + text; }

// A metadata entry: key, number of the kind, value.
inline std::string GgufPair(const std::string& key, uint32_t kind, const std::string& value) {
  return GgufString(key) + GgufWord(kind) + value;
}

// What a file declares of a tensor. `dimensions` as in the file, the fastest first.
inline std::string GgufInfo(const std::string& name, const std::vector<uint64_t>& dimensions, uint32_t type,
                            uint64_t offset) {
  std::string bytes = GgufString(name) + GgufWord(static_cast<uint32_t>(dimensions.size()));
  for (const uint64_t d : dimensions) bytes += GgufWord(d);
  return bytes + GgufWord(type) + GgufWord(offset);
}

struct GgufParts {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::vector<std::string> pairs;
  std::vector<std::string> infos;
  std::string data;
  size_t alignment = 32;

  std::string Header() const {
    std::string bytes = magic + GgufWord(version) + GgufWord<uint64_t>(infos.size()) + GgufWord<uint64_t>(pairs.size());
    for (const std::string& pair : pairs) bytes += pair;
    for (const std::string& info : infos) bytes += info;
    return bytes;
  }
  std::string Bytes() const {
    std::string bytes = Header();
    bytes.append((alignment - bytes.size() % alignment) % alignment, '\0');
    return bytes + data;
  }
};

}  // namespace bitwright
