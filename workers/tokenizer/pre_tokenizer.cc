#include "workers/tokenizer/pre_tokenizer.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "workers/tokenizer/byte_level.h"

namespace bitwright::worker {
namespace {

// The published expression of GPT-2's tokenizer.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct Stretch {
  ByteRange range;
  bool matches;
};

// The whole text as matches and what lies between them.
std::vector<Stretch> Stretches(std::string_view text, std::span<const ByteRange> matches, bool invert) {
  std::vector<Stretch> stretches;
  stretches.reserve(matches.size() * 2);
  size_t done = 0;
  for (const ByteRange& match : matches) {
    if (done != match.begin) stretches.push_back({{done, match.begin}, invert});
    stretches.push_back({match, !invert});
    done = match.end;
  }
  if (done != text.size()) stretches.push_back({{done, text.size()}, invert});
  return stretches;
}

// Joins each match to the stretch before it, unless that is a match too.
std::vector<Stretch> MergeWithPrevious(std::span<const Stretch> stretches) {
  std::vector<Stretch> merged;
  bool after_match = false;
  for (const Stretch& stretch : stretches) {
    if (stretch.matches && !after_match && !merged.empty()) {
      merged.back().range.end = stretch.range.end;
    } else {
      merged.push_back(stretch);
    }
    after_match = stretch.matches;
  }
  return merged;
}

std::vector<Stretch> MergeWithNext(std::span<const Stretch> stretches) {
  std::vector<Stretch> merged;
  bool before_match = false;
  for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
    if (stretch->matches && !before_match && !merged.empty()) {
      merged.back().range.begin = stretch->range.begin;
    } else {
      merged.push_back(*stretch);
    }
    before_match = stretch->matches;
  }
  std::reverse(merged.begin(), merged.end());
  return merged;
}

std::vector<Stretch> MergeRuns(std::span<const Stretch> stretches) {
  std::vector<Stretch> merged;
  for (const Stretch& stretch : stretches) {
    if (!merged.empty() && merged.back().matches == stretch.matches) {
      merged.back().range.end = stretch.range.end;
    } else {
      merged.push_back(stretch);
    }
  }
  return merged;
}

std::vector<Stretch> Behave(std::vector<Stretch> stretches, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::kIsolated:
      return stretches;
    case SplitBehavior::kRemoved:
      std::erase_if(stretches, [](const Stretch& stretch) { return stretch.matches; });
      return stretches;
    case SplitBehavior::kMergedWithPrevious:
      return MergeWithPrevious(stretches);
    case SplitBehavior::kMergedWithNext:
      return MergeWithNext(stretches);
    case SplitBehavior::kContiguous:
      return MergeRuns(stretches);
  }
  return stretches;
}

}  // namespace

absl::StatusOr<PreTokenizer::Step> PreTokenizer::MakeStep(PreTokenizerStep config) {
  Step step{std::move(config), nullptr, nullptr};
  const PreTokenizerStep& c = step.config;
  const auto compile = [&](std::string_view pattern, bool is_regex) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(Pattern compiled,
                          is_regex ? Pattern::Compile(c.field, pattern) : Pattern::CompileLiteral(c.field, pattern));
    step.pattern = std::make_unique<const Pattern>(std::move(compiled));
    return absl::OkStatus();
  };
  switch (c.kind) {
    case PreTokenizerStep::Kind::kByteLevel:
      if (c.use_regex) ABSL_RETURN_IF_ERROR(compile(kGpt2Pattern, true));
      break;
    case PreTokenizerStep::Kind::kSplit:
      ABSL_RETURN_IF_ERROR(compile(c.pattern, c.is_regex));
      break;
    case PreTokenizerStep::Kind::kDigits:
      step.config.behavior = c.individual_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
      ABSL_RETURN_IF_ERROR(compile("\\p{N}", true));
      break;
    case PreTokenizerStep::Kind::kMetaspace: {
      ABSL_ASSIGN_OR_RETURN(Replacer replacer, Replacer::Create({c.field, " ", false, c.pattern}));
      step.metaspace = std::make_unique<const Replacer>(std::move(replacer));
      step.config.behavior = SplitBehavior::kMergedWithNext;
      if (c.cuts) ABSL_RETURN_IF_ERROR(compile(c.pattern, false));
      break;
    }
  }
  return step;
}

absl::StatusOr<PreTokenizer> PreTokenizer::Create(std::vector<PreTokenizerStep> steps) {
  PreTokenizer result;
  for (PreTokenizerStep& config : steps) {
    ABSL_ASSIGN_OR_RETURN(Step step, MakeStep(std::move(config)));
    result.steps_.push_back(std::move(step));
  }
  result.ends_in_bytes_ =
      !result.steps_.empty() && result.steps_.back().config.kind == PreTokenizerStep::Kind::kByteLevel;
  return result;
}

absl::StatusOr<std::string_view> PreTokenizer::Prepared(const Step& step, std::string_view piece, bool is_first,
                                                        Pieces& pieces, PatternBudget& budget) {
  const PreTokenizerStep& config = step.config;
  if (config.kind == PreTokenizerStep::Kind::kByteLevel) {
    if (!config.add_prefix_space || piece.front() == ' ') return piece;
    std::string spaced(1, ' ');
    return pieces.owned.emplace_back(std::move(spaced += piece));
  }
  if (config.kind != PreTokenizerStep::Kind::kMetaspace) return piece;
  ABSL_ASSIGN_OR_RETURN(Normalized spaced, step.metaspace->Apply(piece, budget));
  const bool prepend =
      config.prepend_scheme == PrependScheme::kAlways || (config.prepend_scheme == PrependScheme::kFirst && is_first);
  if (prepend && !spaced.text.starts_with(config.pattern)) spaced.text.insert(0, config.pattern);
  return pieces.owned.emplace_back(std::move(spaced.text));
}

absl::StatusOr<Pieces> PreTokenizer::Cut(std::string_view text, bool is_first, PatternBudget& budget) const {
  Pieces pieces;
  if (!text.empty()) pieces.texts.push_back(text);
  for (const Step& step : steps_) {
    const bool write_chars = step.config.kind == PreTokenizerStep::Kind::kByteLevel && &step != &steps_.back();
    std::vector<std::string_view> next;
    next.reserve(pieces.texts.size());
    const auto add = [&](std::string_view piece) {
      next.push_back(write_chars ? pieces.owned.emplace_back(CharsOfBytes(piece)) : piece);
    };
    bool keeps_first = false;
    for (const std::string_view& from : pieces.texts) {
      const bool first = is_first && &from == &pieces.texts.front();
      ABSL_ASSIGN_OR_RETURN(const std::string_view piece, Prepared(step, from, first, pieces, budget));
      if (step.pattern == nullptr) {
        keeps_first = keeps_first || first;
        add(piece);
        continue;
      }
      ABSL_ASSIGN_OR_RETURN(const std::vector<ByteRange> matches, step.pattern->FindAll(piece, budget));
      for (const Stretch& stretch : Behave(Stretches(piece, matches, step.config.invert), step.config.behavior)) {
        const auto [begin, end] = stretch.range;
        if (begin == end) continue;
        keeps_first = keeps_first || (first && begin == 0);
        add(piece.substr(begin, end - begin));
      }
    }
    pieces.texts = std::move(next);
    is_first = keeps_first;
  }
  return pieces;
}

}  // namespace bitwright::worker
