#include "workers/tokenizer/decoder_config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/pre_tokenizer_config.h"
#include "workers/tokenizer/step_config.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kSupported = "ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip, Sequence";

absl::StatusOr<StripDecoder> ReadStrip(const JsonField& field) {
  StripDecoder strip;
  ABSL_ASSIGN_OR_RETURN(strip.content, field.StringAt("content"));
  if (strip.content.empty() || strip.content.size() != static_cast<size_t>(CodePointBytes(strip.content.front()))) {
    return TokenizerInvalidError(field.path() + ".content", "must be one character");
  }
  ABSL_ASSIGN_OR_RETURN(const JsonField start, field.At("start"));
  ABSL_ASSIGN_OR_RETURN(strip.start, start.Id());
  ABSL_ASSIGN_OR_RETURN(const JsonField stop, field.At("stop"));
  ABSL_ASSIGN_OR_RETURN(strip.stop, stop.Id());
  return strip;
}

absl::StatusOr<DecoderStep> ReadStep(const JsonField& field, const std::string& type) {
  if (type == "ByteLevel") return ByteLevelDecoder{};
  if (type == "ByteFallback") return ByteFallbackDecoder{};
  if (type == "Fuse") return FuseDecoder{};
  if (type == "Strip") return ReadStrip(field);
  if (type == "Replace") return ReadReplacement(field);
  if (type == "Metaspace") {
    MetaspaceDecoder decoder;
    ABSL_ASSIGN_OR_RETURN(decoder.replacement, ReadMetaspaceReplacement(field));
    ABSL_ASSIGN_OR_RETURN(const PrependScheme scheme, ReadPrependScheme(field));
    decoder.prepended = scheme != PrependScheme::kNever;
    return decoder;
  }
  return TokenizerUnsupportedError(field.path() + ".type", type, kSupported);
}

}  // namespace

absl::StatusOr<std::vector<DecoderStep>> ReadDecoder(const JsonField& field) {
  if (field.is_null()) return TokenizerUnsupportedError(field.path(), "null", kSupported);
  std::vector<DecoderStep> steps;
  size_t count = 0;
  ABSL_RETURN_IF_ERROR(
      ReadSteps(field, "decoders", count, [&](const JsonField& part, const std::string& type) -> absl::Status {
        ABSL_ASSIGN_OR_RETURN(DecoderStep step, ReadStep(part, type));
        steps.push_back(std::move(step));
        return absl::OkStatus();
      }));
  return steps;
}

}  // namespace bitwright::worker
