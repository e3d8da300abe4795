#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

void AppendGgufText(std::string& bytes, std::string_view text) {
  AppendGgufNumber<uint64_t>(bytes, text.size());
  bytes += text;
}

GgufSetting GgufText(std::string_view key, std::string_view text) {
  GgufSetting setting{std::string(key), GgufKind::kString, {}};
  AppendGgufText(setting.encoded, text);
  return setting;
}

GgufSetting GgufArrayHead(std::string_view key, GgufKind element, uint64_t count) {
  GgufSetting setting{std::string(key), GgufKind::kArray, {}};
  AppendGgufNumber(setting.encoded, static_cast<uint32_t>(element));
  AppendGgufNumber(setting.encoded, count);
  return setting;
}

GgufSetting GgufTexts(std::string_view key, std::span<const std::string> texts) {
  GgufSetting setting = GgufArrayHead(key, GgufKind::kString, texts.size());
  for (const std::string& text : texts) AppendGgufText(setting.encoded, text);
  return setting;
}

GgufSetting GgufCopy(const GgufEntry& entry) {
  return {std::string(entry.key), entry.value.kind, std::string(entry.value.encoded)};
}

}  // namespace bitwright::worker
