#include "workers/tokenizer/pre_tokenizer_config.h"

#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/step_config.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<SplitBehavior> ReadBehavior(const JsonField& split) {
  ABSL_ASSIGN_OR_RETURN(const std::string name, split.StringAt("behavior"));
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kBehaviors = {{
      {"Isolated", SplitBehavior::kIsolated},
      {"Removed", SplitBehavior::kRemoved},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  for (const auto& [known, behavior] : kBehaviors) {
    if (name == known) return behavior;
  }
  return TokenizerInvalidError(split.path() + ".behavior", absl::StrCat("\"", name, "\" is no behavior"));
}

absl::StatusOr<PreTokenizerStep> ReadSplit(const JsonField& field) {
  PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kSplit, .field = field.path() + ".pattern"};
  ABSL_ASSIGN_OR_RETURN(const JsonField pattern, field.At("pattern"));
  step.is_regex = pattern.Has("Regex");
  ABSL_ASSIGN_OR_RETURN(step.pattern, pattern.StringAt(step.is_regex ? "Regex" : "String"));
  ABSL_ASSIGN_OR_RETURN(step.behavior, ReadBehavior(field));
  ABSL_ASSIGN_OR_RETURN(step.invert, field.BoolAt("invert"));
  return step;
}

absl::StatusOr<PreTokenizerStep> ReadByteLevel(const JsonField& field) {
  PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kByteLevel, .field = field.path()};
  ABSL_ASSIGN_OR_RETURN(step.add_prefix_space, field.BoolAt("add_prefix_space"));
  ABSL_ASSIGN_OR_RETURN(const JsonField use_regex, field.Optional("use_regex"));
  ABSL_ASSIGN_OR_RETURN(step.use_regex, use_regex.BoolOr(true));
  return step;
}

absl::StatusOr<PreTokenizerStep> ReadDigits(const JsonField& field) {
  PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kDigits, .field = field.path()};
  ABSL_ASSIGN_OR_RETURN(step.individual_digits, field.BoolAt("individual_digits"));
  return step;
}

// A Split that the reference library names on its own.
PreTokenizerStep WhitespaceSplit(const JsonField& field) {
  return {.kind = PreTokenizerStep::Kind::kSplit,
          .field = field.path(),
          .pattern = "\\s",
          .behavior = SplitBehavior::kRemoved};
}

absl::StatusOr<PreTokenizerStep> ReadMetaspace(const JsonField& field) {
  PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kMetaspace, .field = field.path()};
  ABSL_ASSIGN_OR_RETURN(step.pattern, ReadMetaspaceReplacement(field));
  ABSL_ASSIGN_OR_RETURN(step.prepend_scheme, ReadPrependScheme(field));
  ABSL_ASSIGN_OR_RETURN(const JsonField split, field.Optional("split"));
  ABSL_ASSIGN_OR_RETURN(step.cuts, split.BoolOr(true));
  return step;
}

absl::StatusOr<PreTokenizerStep> ReadStep(const JsonField& field, const std::string& type) {
  if (type == "ByteLevel") return ReadByteLevel(field);
  if (type == "Split") return ReadSplit(field);
  if (type == "Digits") return ReadDigits(field);
  if (type == "Metaspace") return ReadMetaspace(field);
  if (type == "WhitespaceSplit") return WhitespaceSplit(field);
  return TokenizerUnsupportedError(field.path() + ".type", type,
                                   "ByteLevel, Split, Digits, Metaspace, WhitespaceSplit, Sequence, null");
}

}  // namespace

absl::StatusOr<std::string> ReadMetaspaceReplacement(const JsonField& field) {
  ABSL_ASSIGN_OR_RETURN(std::string text, field.StringAt("replacement"));
  if (text.empty() || text.size() != static_cast<size_t>(CodePointBytes(text.front()))) {
    return TokenizerInvalidError(field.path() + ".replacement", "must be one character");
  }
  return text;
}

absl::StatusOr<PrependScheme> ReadPrependScheme(const JsonField& field) {
  ABSL_ASSIGN_OR_RETURN(const JsonField scheme, field.Optional("prepend_scheme"));
  // Older files say it with a flag.
  ABSL_ASSIGN_OR_RETURN(const JsonField flag, field.Optional("add_prefix_space"));
  ABSL_ASSIGN_OR_RETURN(const bool prefix, flag.BoolOr(true));
  if (scheme.is_null()) return prefix ? PrependScheme::kAlways : PrependScheme::kNever;
  ABSL_ASSIGN_OR_RETURN(const std::string name, scheme.String());
  if (!prefix && name != "never") {
    return TokenizerInvalidError(flag.path(), "is false where prepend_scheme is not \"never\"");
  }
  if (name == "always") return PrependScheme::kAlways;
  if (name == "first") return PrependScheme::kFirst;
  if (name == "never") return PrependScheme::kNever;
  return TokenizerInvalidError(scheme.path(), absl::StrCat("\"", name, "\" is no scheme"));
}

absl::StatusOr<std::vector<PreTokenizerStep>> ReadPreTokenizer(const JsonField& field) {
  std::vector<PreTokenizerStep> steps;
  size_t count = 0;
  ABSL_RETURN_IF_ERROR(
      ReadSteps(field, "pretokenizers", count, [&](const JsonField& part, const std::string& type) -> absl::Status {
        ABSL_ASSIGN_OR_RETURN(steps.emplace_back(), ReadStep(part, type));
        return absl::OkStatus();
      }));
  return steps;
}

}  // namespace bitwright::worker
