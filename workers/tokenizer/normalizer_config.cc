#include "workers/tokenizer/normalizer_config.h"

#include <array>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/step_config.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kSupported =
    "NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip, Precompiled, Sequence, null";

constexpr std::array<std::pair<std::string_view, UnicodeForm>, 4> kForms = {{
    {"NFC", UnicodeForm::kNfc},
    {"NFD", UnicodeForm::kNfd},
    {"NFKC", UnicodeForm::kNfkc},
    {"NFKD", UnicodeForm::kNfkd},
}};

absl::StatusOr<StripStep> ReadStrip(const JsonField& field) {
  StripStep strip;
  ABSL_ASSIGN_OR_RETURN(strip.left, field.BoolAt("strip_left"));
  ABSL_ASSIGN_OR_RETURN(strip.right, field.BoolAt("strip_right"));
  return strip;
}

absl::StatusOr<PrecompiledStep> ReadPrecompiled(const JsonField& field) {
  const std::string path = field.path() + ".precompiled_charsmap";
  ABSL_ASSIGN_OR_RETURN(const std::string base64, field.StringAt("precompiled_charsmap"));
  std::string bytes;
  if (!absl::Base64Unescape(base64, &bytes)) return TokenizerInvalidError(path, "is not base64");
  ABSL_ASSIGN_OR_RETURN(Charsmap charsmap, Charsmap::Create(bytes, [&](const std::string& problem) {
                          return TokenizerInvalidError(path, problem);
                        }));
  return PrecompiledStep{std::make_shared<const Charsmap>(std::move(charsmap))};
}

absl::Status ReadStep(const JsonField& field, const std::string& type, std::vector<NormalizerStep>& steps) {
  for (const auto& [name, form] : kForms) {
    if (type != name) continue;
    steps.emplace_back(form);
    return absl::OkStatus();
  }
  if (type == "Lowercase") {
    steps.emplace_back(LowercaseStep{});
  } else if (type == "Prepend") {
    ABSL_ASSIGN_OR_RETURN(std::string text, field.StringAt("prepend"));
    steps.emplace_back(PrependStep{std::move(text)});
  } else if (type == "Replace") {
    ABSL_ASSIGN_OR_RETURN(Replacement replacement, ReadReplacement(field));
    steps.emplace_back(std::move(replacement));
  } else if (type == "Strip") {
    ABSL_ASSIGN_OR_RETURN(const StripStep strip, ReadStrip(field));
    steps.emplace_back(strip);
  } else if (type == "Precompiled") {
    ABSL_ASSIGN_OR_RETURN(PrecompiledStep precompiled, ReadPrecompiled(field));
    steps.emplace_back(std::move(precompiled));
  } else {
    return TokenizerUnsupportedError(field.path() + ".type", type, kSupported);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<NormalizerStep>> ReadNormalizer(const JsonField& field) {
  std::vector<NormalizerStep> steps;
  size_t count = 0;
  ABSL_RETURN_IF_ERROR(ReadSteps(field, "normalizers", count, [&](const JsonField& part, const std::string& type) {
    return ReadStep(part, type, steps);
  }));
  return steps;
}

}  // namespace bitwright::worker
