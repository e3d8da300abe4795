#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "workers/checkpoint/gguf_kinds.h"
#include "workers/checkpoint/gguf_metadata.h"

namespace bitwright::worker {

// A metadata entry to be written, with its value as it will lie in the file (see GgufKind).
struct GgufSetting {
  std::string key;
  GgufKind kind = GgufKind::kU8;
  std::string encoded;
};

// As memory has it, which is little endian.
template <typename T>
void AppendGgufNumber(std::string& bytes, T number) {
  char stored[sizeof(T)];
  std::memcpy(stored, &number, sizeof(T));
  bytes.append(stored, sizeof(T));
}

// What it takes of a header: its key with a length, its kind, its value.
inline int64_t StoredBytes(const GgufSetting& setting) {
  return static_cast<int64_t>(sizeof(uint64_t) + setting.key.size() + sizeof(uint32_t) + setting.encoded.size());
}

// A length and the bytes.
void AppendGgufText(std::string& bytes, std::string_view text);

// The kind is that of the type: GgufNumber("llama.block_count", uint32_t{2}). bool is among the types.
template <typename T>
GgufSetting GgufNumber(std::string_view key, T number) {
  GgufSetting setting{std::string(key), GgufKindOf<T>(), {}};
  AppendGgufNumber(setting.encoded, number);
  return setting;
}
GgufSetting GgufText(std::string_view key, std::string_view text);

// The head of an array, after which come its elements.
GgufSetting GgufArrayHead(std::string_view key, GgufKind element, uint64_t count);

template <typename T>
GgufSetting GgufNumbers(std::string_view key, std::span<const T> numbers) {
  GgufSetting setting = GgufArrayHead(key, GgufKindOf<T>(), numbers.size());
  setting.encoded.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
  return setting;
}
GgufSetting GgufTexts(std::string_view key, std::span<const std::string> texts);

// An entry of another file, unchanged.
GgufSetting GgufCopy(const GgufEntry& entry);

}  // namespace bitwright::worker
