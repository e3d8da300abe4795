#include "workers/tokenizer/pattern.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"
#include "workers/tokenizer/pattern_syntax.h"

namespace bitwright::worker {
namespace {

// The matches of a pattern, joined by "|".
absl::StatusOr<std::string> Matches(std::string_view regex, std::string_view text) {
  auto pattern = Pattern::Compile("field", regex);
  if (!pattern.ok()) return pattern.status();
  PatternBudget budget(static_cast<int64_t>(text.size()));
  const auto ranges = pattern->FindAll(text, budget);
  if (!ranges.ok()) return ranges.status();
  std::string joined;
  for (const ByteRange& range : *ranges) {
    joined += std::string(text.substr(range.begin, range.end - range.begin)) + "|";
  }
  return joined;
}

TEST(Pattern, EmptyMatchDirectlyBehindAMatchDoesNotCount) {
  ASSERT_OK_AND_ASSIGN(const std::string matches, Matches("a*", "aab\xC3\xA9"));
  EXPECT_EQ(matches, "aa|||");  // "aa", before U+00E9, at the end
}

TEST(Pattern, WhiteSpaceIsTheUnicodeProperty) {
  ASSERT_OK_AND_ASSIGN(const std::string spaces, Matches("\\s", "\xC2\x85\xE1\xA0\x8E\xE2\x80\x8B\xE3\x80\x80"));
  EXPECT_EQ(spaces, "\xC2\x85|\xE3\x80\x80|");  // U+0085 and U+3000, neither U+180E nor U+200B
}

struct Costly {
  const char* name;
  const char* regex;
  std::string text;
};

class CostlyPattern : public ::testing::TestWithParam<Costly> {};

TEST_P(CostlyPattern, StopsAtTheLimit) {
  EXPECT_THAT(Matches(GetParam().regex, GetParam().text), HasReason("TOKENIZER_PATTERN_LIMIT"));
}

INSTANTIATE_TEST_SUITE_P(Pattern, CostlyPattern,
                         ::testing::Values(Costly{"NestedRepetition", "(a+)+$", std::string(60, 'a') + "!"},
                                           Costly{"Alternation", "(?:a|a)+$", std::string(60, 'a') + "!"},
                                           Costly{"ManyStars", "a*a*a*a*a*a*a*[bc]", std::string(3000, 'a')},
                                           Costly{"ScanFromEveryByte", "a+[!?]", std::string(1'000'000, 'a')},
                                           Costly{"PossessiveScan", "a++[!?]", std::string(1'000'000, 'a')},
                                           Costly{"LookaheadScan", "(?=.*[!?])a", std::string(1'000'000, 'a')},
                                           Costly{"DeepGroup", "(a|bc)*[!?]", std::string(4'000'000, 'a')}),
                         [](const auto& info) { return info.param.name; });

TEST(Pattern, LimitOfAFilesPatternComesFromEncode) {
  nlohmann::json file = SmallTokenizer();
  file["pre_tokenizer"] = {
      {"type", "Split"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"behavior", "Isolated"}, {"invert", false}};
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Load(file.dump()));
  const auto ids = tokenizer->Encode(std::string(60, 'a') + "!", false);
  EXPECT_THAT(ids, HasReason("TOKENIZER_PATTERN_LIMIT"));
  EXPECT_THAT(std::string(ids.status().message()), ::testing::HasSubstr("pre_tokenizer.pattern"));
}

TEST(Pattern, LongPatternsAreRefused) {
  EXPECT_THAT(Pattern::Compile("field", std::string(70'000, 'a')), HasReason("TOKENIZER_PATTERN_INVALID"));
  EXPECT_THAT(Pattern::CompileLiteral("field", std::string(70'000, 'a')), HasReason("TOKENIZER_PATTERN_INVALID"));
  EXPECT_THAT(Pattern::Compile("field", std::string(200, '(') + std::string(200, ')')),
              HasReason("TOKENIZER_PATTERN_INVALID"));
}

TEST(PatternSyntax, WritesWhatDiffers) {
  const std::pair<const char*, const char*> pairs[] = {
      {"\\s+\\S", "\\p{White_Space}+\\P{White_Space}"},
      {"[\\s\\d]", "[\\p{White_Space}\\p{Nd}]"},
      {"\\p{Han}\\p{Lu}", "\\p{sc:Han}\\p{Lu}"},
      {"\\p{^Letter}", "\\P{L}"},
      {"a{,3}b{", "a{0,3}b\\{"},
      {"(?m:.)", "(?s:.)"},
      {"\\u00e9\\h", "\\x{00e9}[0-9A-Fa-f]"},
      {"[]\\-]", "[\\]\\-]"},
  };
  for (const auto& [from, to] : pairs) {
    ASSERT_OK_AND_ASSIGN(const std::string translated, TranslatePattern("field", from));
    EXPECT_EQ(translated, to);
  }
}

}  // namespace
}  // namespace bitwright::worker
