#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/inputs/data_kind.h"

// Input: a name, a zero byte, the first bytes of a file. They are told apart, or refused with a reason.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const std::string_view head = zero == std::string_view::npos ? input : input.substr(zero + 1);
  const auto kind = bitwright::RecognizeData(input.substr(0, zero), head);
  if (kind.ok() && bitwright::DataKindName(*kind).empty()) std::abort();
  if (!kind.ok() && kind.status().message().empty()) std::abort();
  return 0;
}
