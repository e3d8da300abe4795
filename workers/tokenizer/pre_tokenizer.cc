#include "workers/tokenizer/pre_tokenizer.h"

#include <optional>
#include <utility>

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

// Takes matches and what lies between them in order, and gives the pieces that a behaviour makes of them.
class Splitter {
 public:
  Splitter(SplitBehavior behavior, absl::FunctionRef<absl::Status(ByteRange)> give)
      : behavior_(behavior), give_(give) {}

  absl::Status Add(const Stretch& stretch) {
    const bool after_match = std::exchange(after_match_, stretch.matches);
    switch (behavior_) {
      case SplitBehavior::kIsolated:
        return give_(stretch.range);
      case SplitBehavior::kRemoved:
        return stretch.matches ? absl::OkStatus() : give_(stretch.range);
      case SplitBehavior::kMergedWithPrevious:  // unless that is a match too
        return Join(stretch, stretch.matches && !after_match);
      case SplitBehavior::kMergedWithNext:
        return Join(stretch, held_ && held_->matches && !stretch.matches);
      case SplitBehavior::kContiguous:
        return Join(stretch, held_ && held_->matches == stretch.matches);
    }
    return absl::OkStatus();
  }
  absl::Status Finish() { return held_ ? give_(held_->range) : absl::OkStatus(); }

 private:
  absl::Status Join(const Stretch& stretch, bool joins) {
    if (held_ && joins) {
      held_ = {{held_->range.begin, stretch.range.end}, stretch.matches};
      return absl::OkStatus();
    }
    const std::optional<Stretch> whole = std::exchange(held_, stretch);
    return whole ? give_(whole->range) : absl::OkStatus();
  }

  const SplitBehavior behavior_;
  const absl::FunctionRef<absl::Status(ByteRange)> give_;
  std::optional<Stretch> held_;  // to which the next may be joined
  bool after_match_ = false;
};

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
                                                        PatternBudget& budget, std::string& changed) {
  const PreTokenizerStep& config = step.config;
  if (config.kind == PreTokenizerStep::Kind::kByteLevel) {
    if (!config.add_prefix_space || piece.front() == ' ') return piece;
    changed.assign(1, ' ');
    return changed += piece;
  }
  if (config.kind != PreTokenizerStep::Kind::kMetaspace) return piece;
  ABSL_ASSIGN_OR_RETURN(Normalized spaced, step.metaspace->Apply(piece, budget));
  changed = std::move(spaced.text);
  const bool prepend =
      config.prepend_scheme == PrependScheme::kAlways || (config.prepend_scheme == PrependScheme::kFirst && is_first);
  if (prepend && !changed.starts_with(config.pattern)) changed.insert(0, config.pattern);
  return changed;
}

absl::Status PreTokenizer::Cut(std::string_view text, bool is_first, PatternBudget& budget, Sink sink) const {
  return text.empty() ? absl::OkStatus() : CutFrom(0, text, is_first, budget, sink);
}

absl::Status PreTokenizer::CutFrom(size_t index, std::string_view piece, bool is_first, PatternBudget& budget,
                                   Sink sink) const {
  if (index == steps_.size()) return sink(piece);
  const Step& step = steps_[index];
  const bool write_chars = step.config.kind == PreTokenizerStep::Kind::kByteLevel && index + 1 < steps_.size();
  std::string changed;
  ABSL_ASSIGN_OR_RETURN(const std::string_view whole, Prepared(step, piece, is_first, budget, changed));
  const auto pass_on = [&](ByteRange range) -> absl::Status {
    const std::string_view part = whole.substr(range.begin, range.end - range.begin);
    if (part.empty()) return absl::OkStatus();
    const bool first = is_first && range.begin == 0;
    return write_chars ? CutFrom(index + 1, CharsOfBytes(part), first, budget, sink)
                       : CutFrom(index + 1, part, first, budget, sink);
  };
  if (step.pattern == nullptr) return pass_on({0, whole.size()});
  Splitter splitter(step.config.behavior, pass_on);
  size_t done = 0;
  const bool invert = step.config.invert;
  ABSL_RETURN_IF_ERROR(step.pattern->ForEachMatch(whole, budget, [&](ByteRange match) {
    if (done != match.begin) ABSL_RETURN_IF_ERROR(splitter.Add({{done, match.begin}, invert}));
    done = match.end;
    return splitter.Add({match, !invert});
  }));
  if (done != whole.size()) ABSL_RETURN_IF_ERROR(splitter.Add({{done, whole.size()}, invert}));
  return splitter.Finish();
}

}  // namespace bitwright::worker
