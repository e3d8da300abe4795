#include "workers/tokenizer/normalizer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/unicode_forms.h"

namespace bitwright::worker {

class Normalizer::Step {
 public:
  using Compiled = std::variant<UnicodeForm, LowercaseStep, PrependStep, StripStep, Replacer, PrecompiledStep,
                                SentencePieceNormalizer>;

  static absl::StatusOr<Compiled> Compile(Replacement replacement) {
    ABSL_ASSIGN_OR_RETURN(Replacer replacer, Replacer::Create(std::move(replacement)));
    return Compiled(std::move(replacer));
  }
  static absl::StatusOr<Compiled> Compile(SentencePieceRules rules) {
    return Compiled(SentencePieceNormalizer(std::move(rules)));
  }
  template <typename Plain>
  static absl::StatusOr<Compiled> Compile(Plain step) {
    return Compiled(std::move(step));
  }

  explicit Step(Compiled compiled) : compiled_(std::move(compiled)) {}

  absl::StatusOr<Normalized> Apply(std::string_view text, PatternBudget& budget) const {
    return std::visit([&](const auto& step) { return Of(step, text, budget); }, compiled_);
  }

 private:
  using Result = absl::StatusOr<Normalized>;
  static Result Whole(absl::StatusOr<std::string> text) {
    if (!text.ok()) return text.status();
    return Normalized{*std::move(text)};
  }
  static Result Of(const UnicodeForm& form, std::string_view text, PatternBudget&) { return Whole(ToForm(form, text)); }
  static Result Of(const LowercaseStep&, std::string_view text, PatternBudget&) { return Whole(ToLowercase(text)); }
  static Result Of(const PrependStep& step, std::string_view text, PatternBudget& budget) {
    if (text.empty()) return Normalized{};
    ABSL_RETURN_IF_ERROR(budget.CheckNormalized(static_cast<int64_t>(step.text.size() + text.size())));
    Normalized out;
    out.text.reserve(step.text.size() + text.size());
    out.text.append(step.text).append(text);
    return out;
  }
  static Result Of(const StripStep& step, std::string_view text, PatternBudget&) {
    const std::string_view stripped = StripSpace(step, text);
    return Normalized{std::string(stripped), stripped.data() == text.data()};
  }
  static Result Of(const Replacer& step, std::string_view text, PatternBudget& budget) {
    return step.Apply(text, budget);
  }
  static Result Of(const PrecompiledStep& step, std::string_view text, PatternBudget& budget) {
    return Whole(ReplaceGraphemes(*step.charsmap, text, budget));
  }
  static Result Of(const SentencePieceNormalizer& step, std::string_view text, PatternBudget& budget) {
    return Whole(step.Apply(text, budget));
  }

  Compiled compiled_;
};

Normalizer::Normalizer(std::vector<std::unique_ptr<const Step>> steps) : steps_(std::move(steps)) {}
Normalizer::Normalizer(Normalizer&&) noexcept = default;
Normalizer::~Normalizer() = default;

absl::StatusOr<Normalizer> Normalizer::Create(std::vector<NormalizerStep> steps) {
  std::vector<std::unique_ptr<const Step>> compiled;
  for (NormalizerStep& step : steps) {
    ABSL_ASSIGN_OR_RETURN(Step::Compiled next,
                          std::visit([](auto& part) { return Step::Compile(std::move(part)); }, step));
    compiled.push_back(std::make_unique<const Step>(std::move(next)));
  }
  return Normalizer(std::move(compiled));
}

absl::StatusOr<Normalized> Normalizer::Normalize(std::string_view text, PatternBudget& budget) const {
  if (steps_.empty()) return Normalized{std::string(text)};
  Normalized current;
  std::string_view whole = text;
  for (const auto& step : steps_) {
    ABSL_ASSIGN_OR_RETURN(Normalized next, step->Apply(whole, budget));
    current = {std::move(next.text), current.keeps_start && next.keeps_start};
    whole = current.text;
  }
  return current;
}

}  // namespace bitwright::worker
