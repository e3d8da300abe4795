#include "workers/tokenizer/token_decoder.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_join.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "workers/tokenizer/byte_level.h"
#include "workers/tokenizer/unicode.h"
#include "workers/tokenizer/vocabulary.h"

namespace bitwright::worker {
namespace {

using Tokens = std::vector<std::string>;
constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

absl::StatusOr<Tokens> Apply(const ByteLevelDecoder&, const Tokens& tokens, PatternBudget&) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += BytesOfChars(token).value_or(token);
  return Tokens{ReplaceInvalidUtf8(bytes)};
}

absl::StatusOr<Tokens> Apply(const ByteFallbackDecoder&, Tokens tokens, PatternBudget&) {
  Tokens out;
  std::string run;
  const auto end_run = [&] {
    if (run.empty()) return;
    if (ValidUtf8Prefix(run) == run.size()) {
      out.push_back(run);
    } else {
      out.insert(out.end(), run.size(), std::string(kReplacementCharacter));
    }
    run.clear();
  };
  for (std::string& token : tokens) {
    if (const auto byte = ByteOfToken(token)) {
      run += static_cast<char>(*byte);
      continue;
    }
    end_run();
    out.push_back(std::move(token));
  }
  end_run();
  return out;
}

absl::StatusOr<Tokens> Apply(const FuseDecoder&, const Tokens& tokens, PatternBudget&) {
  return Tokens{absl::StrJoin(tokens, "")};
}

absl::StatusOr<Tokens> Apply(const MetaspaceDecoder& step, Tokens tokens, PatternBudget&) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view space = i == 0 && step.prepended ? "" : " ";
    std::string text;
    for (std::string_view rest = tokens[i]; !rest.empty();) {
      const std::string_view character = rest.substr(0, CodePointBytes(rest.front()));
      text += character == step.replacement ? space : character;
      rest.remove_prefix(character.size());
    }
    tokens[i] = std::move(text);
  }
  return tokens;
}

absl::StatusOr<Tokens> Apply(const StripDecoder& step, Tokens tokens, PatternBudget&) {
  for (std::string& token : tokens) {
    std::string_view rest = token;
    for (int64_t i = 0; i < step.start && rest.starts_with(step.content); ++i) rest.remove_prefix(step.content.size());
    for (int64_t i = 0; i < step.stop && rest.ends_with(step.content); ++i) rest.remove_suffix(step.content.size());
    token = std::string(rest);
  }
  return tokens;
}

absl::StatusOr<Tokens> Apply(const std::shared_ptr<const Replacer>& step, Tokens tokens, PatternBudget& budget) {
  for (std::string& token : tokens) {
    ABSL_ASSIGN_OR_RETURN(Normalized replaced, step->Apply(token, budget));
    token = std::move(replaced.text);
  }
  return tokens;
}

}  // namespace

absl::StatusOr<TokenDecoder::Compiled> TokenDecoder::Compile(Replacement replacement) {
  ABSL_ASSIGN_OR_RETURN(Replacer replacer, Replacer::Create(std::move(replacement)));
  return Compiled(std::make_shared<const Replacer>(std::move(replacer)));
}

absl::StatusOr<TokenDecoder> TokenDecoder::Create(std::vector<DecoderStep> steps) {
  std::vector<Compiled> compiled;
  for (DecoderStep& step : steps) {
    ABSL_ASSIGN_OR_RETURN(compiled.emplace_back(),
                          std::visit([](auto& part) { return Compile(std::move(part)); }, step));
  }
  return TokenDecoder(std::move(compiled));
}

absl::StatusOr<std::string> TokenDecoder::Decode(std::vector<std::string> tokens) const {
  const size_t bytes = std::accumulate(tokens.begin(), tokens.end(), size_t{0},
                                       [](size_t sum, const std::string& token) { return sum + token.size(); });
  PatternBudget budget(static_cast<int64_t>(bytes));
  for (const Compiled& step : steps_) {
    absl::StatusOr<Tokens> next =
        std::visit([&](const auto& part) { return Apply(part, std::move(tokens), budget); }, step);
    ABSL_ASSIGN_OR_RETURN(tokens, std::move(next));
  }
  return absl::StrJoin(tokens, "");
}

}  // namespace bitwright::worker
