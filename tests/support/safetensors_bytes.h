#pragma once

#include <cstring>
#include <string>
#include <string_view>

namespace bitwright {

// The bytes of a safetensors file, right or wrong: size word, header as given, data as given.
inline std::string SafetensorsBytes(std::string_view header, std::string_view data = "") {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes.append(header).append(data);
}

}  // namespace bitwright
