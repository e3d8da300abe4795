#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workers/chat/chat_template.h"
#include "workers/chat/document.h"

// Input: a template, a zero byte, a line of documents. Whatever the template is, rendering ends within its limits.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const std::string_view line =
      zero == std::string_view::npos ? R"({"messages": [{"role": "user", "content": "hi"}]})" : input.substr(zero + 1);
  bitwright::worker::DocumentReader reader(
      {.source = std::string(input.substr(0, zero)), .tokens = {{"bos_token", "<s>"}}});
  const auto document = reader.Read(line, 1);
  if (!document.ok() && document.status().message().empty()) std::abort();
  return 0;
}
