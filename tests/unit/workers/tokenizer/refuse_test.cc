#include <functional>
#include <utility>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

// A change to the small tokenizer, the reason it must be refused for, and what the message must name.
struct Refusal {
  const char* name;
  std::function<void(json&)> change;
  const char* reason;
  const char* names;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, ByReasonAndName) {
  json file = SmallTokenizer();
  GetParam().change(file);
  const auto tokenizer = Tokenizer::Load(file.dump());
  EXPECT_THAT(tokenizer, HasReason(GetParam().reason));
  EXPECT_THAT(tokenizer, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(tokenizer.status()), HasSubstr(GetParam().names));
}

constexpr char kInvalid[] = "TOKENIZER_INVALID";
constexpr char kUnsupported[] = "TOKENIZER_UNSUPPORTED";
constexpr char kPattern[] = "TOKENIZER_PATTERN_INVALID";

json Split(const json& pattern) {
  return {{"type", "Split"}, {"pattern", pattern}, {"behavior", "Isolated"}, {"invert", false}};
}
json Template(const json& single, const json& special_tokens) {
  return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", special_tokens}};
}
json TextPiece() { return {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}; }
json SpecialPiece(const char* id) { return {{"SpecialToken", {{"id", id}, {"type_id", 0}}}}; }

INSTANTIATE_TEST_SUITE_P(
    Form, Refused,
    ::testing::Values(
        Refusal{"NotAnObject", [](json& f) { f = json::array(); }, kInvalid, "object"},
        Refusal{"JustANumber", [](json& f) { f = 3; }, kInvalid, "object"},
        Refusal{"NoModel", [](json& f) { f.erase("model"); }, kInvalid, "model: is missing"},
        Refusal{"ModelOfWrongType", [](json& f) { f["model"] = 1; }, kInvalid, "model"},
        Refusal{"NoVocab", [](json& f) { f["model"].erase("vocab"); }, kInvalid, "model.vocab"},
        Refusal{"VocabOfWrongType", [](json& f) { f["model"]["vocab"] = json::array(); }, kInvalid, "model.vocab"},
        Refusal{"NoMerges", [](json& f) { f["model"].erase("merges"); }, kInvalid, "model.merges"},
        Refusal{"IdOfWrongType", [](json& f) { f["model"]["vocab"]["he"] = "256"; }, kInvalid, "model.vocab"},
        Refusal{"NegativeId", [](json& f) { f["model"]["vocab"]["he"] = -1; }, kInvalid, "model.vocab"},
        Refusal{"FractionalId", [](json& f) { f["model"]["vocab"]["he"] = 1.5; }, kInvalid, "model.vocab"},
        Refusal{"HugeId", [](json& f) { f["model"]["vocab"]["he"] = 4'000'000; }, kInvalid, "model.vocab[\"he\"]"},
        Refusal{"NestedVocab", [](json& f) { f["model"]["vocab"]["he"] = json::object(); }, kInvalid, "model.vocab"},
        Refusal{"IdTwice", [](json& f) { f["model"]["vocab"]["he"] = 257; }, kInvalid, "257"},
        Refusal{"MergeOfOneWord", [](json& f) { f["model"]["merges"][0] = "he"; }, kInvalid, "model.merges[0]"},
        Refusal{"MergeOfThreeWords", [](json& f) { f["model"]["merges"][1] = "h e l"; }, kInvalid, "model.merges[1]"},
        Refusal{"MergeOfThreeStrings",
                [](json& f) {
                  f["model"]["merges"][1] = {"h", "e", "l"};
                },
                kInvalid, "model.merges[1]"},
        Refusal{"MergeOfOneString", [](json& f) { f["model"]["merges"][1] = json::array({"h"}); }, kInvalid,
                "model.merges[1]"},
        Refusal{"MergeOfNumbers",
                [](json& f) {
                  f["model"]["merges"][1] = {1, 2};
                },
                kInvalid, "model.merges[1]"},
        Refusal{"MergeInObject",
                [](json& f) {
                  f["model"]["merges"][1] = {{"a", "b"}};
                },
                kInvalid, "model.merges[1]"},
        Refusal{"MergePartUnknown", [](json& f) { f["model"]["merges"][2] = "hell o"; }, kInvalid,
                "model.merges[2]: \"hello\" is not in model.vocab"},
        Refusal{"MergeLeftUnknown", [](json& f) { f["model"]["merges"][2] = "hel l"; }, kInvalid, "\"hel\" is not"},
        Refusal{"IgnoreMergesOfWrongType", [](json& f) { f["model"]["ignore_merges"] = 1; }, kInvalid,
                "model.ignore_merges"},
        Refusal{"DeepNesting",
                [](json& f) {
                  json deep = 0;
                  for (int i = 0; i < 70; ++i) deep = json::array({deep});
                  f["extra"] = deep;
                },
                kInvalid, "deeper than 64"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    AddedTokens, Refused,
    ::testing::Values(
        Refusal{"NotAList", [](json& f) { f["added_tokens"] = 1; }, kInvalid, "added_tokens"},
        Refusal{"WithoutId", [](json& f) { f["added_tokens"][0].erase("id"); }, kInvalid, "added_tokens[0].id"},
        Refusal{"WithoutFlag", [](json& f) { f["added_tokens"][0].erase("lstrip"); }, kInvalid,
                "added_tokens[0].lstrip"},
        Refusal{"FlagOfWrongType", [](json& f) { f["added_tokens"][0]["special"] = "yes"; }, kInvalid,
                "added_tokens[0].special"},
        Refusal{"Empty", [](json& f) { f["added_tokens"][0]["content"] = ""; }, kInvalid, "added_tokens[0].content"},
        Refusal{"TooLong", [](json& f) { f["added_tokens"][0]["content"] = std::string(1025, 'x'); }, kInvalid,
                "added_tokens[0].content"},
        Refusal{"IdOfAnother", [](json& f) { f["added_tokens"][0]["id"] = 3; }, kInvalid, "added_tokens[0].id"},
        Refusal{"IdWithHole", [](json& f) { f["added_tokens"][0]["id"] = 300; }, kInvalid, "added_tokens[0].id"},
        Refusal{"IdTwice", [](json& f) { AddToken(f, "x")["id"] = 259; }, kInvalid, "added_tokens[1].id"},
        Refusal{"ContentTwice", [](json& f) { AddToken(f, "<|end|>"); }, kInvalid, "twice"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Parts, Refused,
    ::testing::Values(
        Refusal{"Version", [](json& f) { f["version"] = "2.0"; }, kUnsupported, "2.0"},
        Refusal{"WordPiece", [](json& f) { f["model"]["type"] = "WordPiece"; }, kUnsupported, "WordPiece"},
        Refusal{"ByteFallback", [](json& f) { f["model"]["byte_fallback"] = true; }, kUnsupported, "byte_fallback"},
        Refusal{"Dropout", [](json& f) { f["model"]["dropout"] = 0.1; }, kUnsupported, "model.dropout"},
        Refusal{"SubwordPrefix", [](json& f) { f["model"]["continuing_subword_prefix"] = "##"; }, kUnsupported,
                "continuing_subword_prefix"},
        Refusal{"WordSuffix", [](json& f) { f["model"]["end_of_word_suffix"] = "</w>"; }, kUnsupported,
                "end_of_word_suffix"},
        Refusal{"UnkThatCanOccur",
                [](json& f) {
                  f["model"]["unk_token"] = "he";
                  f["model"]["vocab"].erase("a");
                },
                kUnsupported, "model.unk_token"},
        Refusal{"Prepend",
                [](json& f) {
                  f["normalizer"] = {{"type", "Prepend"}, {"prepend", "_"}};
                },
                kUnsupported, "Prepend"},
        Refusal{"ReplaceInSequence",
                [](json& f) {
                  f["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array({{{"type", "Replace"}}})}};
                },
                kUnsupported, "normalizer.normalizers[0].type: Replace"},
        Refusal{"NormalizerWithoutType", [](json& f) { f["normalizer"] = json::object(); }, kInvalid,
                "normalizer.type"},
        Refusal{"Metaspace",
                [](json& f) {
                  f["pre_tokenizer"] = {{"type", "Metaspace"}};
                },
                kUnsupported, "Metaspace"},
        Refusal{"BehaviorUnknown",
                [](json& f) {
                  f["pre_tokenizer"] = Split({{"String", " "}});
                  f["pre_tokenizer"]["behavior"] = "Glued";
                },
                kInvalid, "pre_tokenizer.behavior"},
        Refusal{"SplitWithoutPattern", [](json& f) { f["pre_tokenizer"] = Split(json::object()); }, kInvalid,
                "pre_tokenizer.pattern.String"},
        Refusal{"TooManySteps",
                [](json& f) {
                  json steps(65, f["pre_tokenizer"]);
                  f["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", steps}};
                },
                kInvalid, "more than 64"},
        Refusal{"BertProcessing",
                [](json& f) {
                  f["post_processor"] = {{"type", "BertProcessing"}};
                },
                kUnsupported, "BertProcessing"},
        Refusal{"TemplateWithoutText", [](json& f) { f["post_processor"] = Template(json::array(), json::object()); },
                kInvalid, "post_processor.single"},
        Refusal{"TemplateWithTextTwice",
                [](json& f) {
                  f["post_processor"] = Template({TextPiece(), TextPiece()}, json::object());
                },
                kInvalid, "post_processor.single"},
        Refusal{"TemplateTokenUndefined",
                [](json& f) {
                  f["post_processor"] = Template({SpecialPiece("<s>"), TextPiece()}, json::object());
                },
                kInvalid, "post_processor.special_tokens.<s>"},
        Refusal{"TemplateIdUnknown",
                [](json& f) {
                  f["post_processor"] = Template({SpecialPiece("<s>"), TextPiece()}, {{"<s>", {{"ids", {260}}}}});
                },
                kInvalid, "260"},
        // A number below the largest one may still be no token's.
        Refusal{"TemplateIdInAHole",
                [](json& f) {
                  f["model"]["vocab"]["zz"] = 300;
                  f["added_tokens"][0]["id"] = 260;
                  f["post_processor"] = Template({SpecialPiece("<s>"), TextPiece()}, {{"<s>", {{"ids", {299}}}}});
                },
                kInvalid, "299"},
        Refusal{"TwoTemplates",
                [](json& f) {
                  const json one = Template(json::array({TextPiece()}), json::object());
                  f["post_processor"] = {{"type", "Sequence"}, {"processors", {one, one}}};
                },
                kUnsupported, "second TemplateProcessing"},
        Refusal{"NoDecoder", [](json& f) { f["decoder"] = nullptr; }, kUnsupported, "decoder"},
        Refusal{"WordPieceDecoder",
                [](json& f) {
                  f["decoder"] = {{"type", "WordPiece"}};
                },
                kUnsupported, "WordPiece"}),
    [](const auto& info) { return info.param.name; });

Refusal BadPattern(const char* name, const char* pattern, const char* reason, const char* names) {
  return {name, [pattern](json& f) { f["pre_tokenizer"] = Split({{"Regex", pattern}}); }, reason, names};
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, Refused,
    ::testing::Values(
        BadPattern("OpenGroup", "(a", kPattern, "pre_tokenizer.pattern"),
        BadPattern("OpenClass", "[a", kPattern, "class"), BadPattern("OpenProperty", "\\p{L", kPattern, "property"),
        BadPattern("LoneBackslash", "a\\", kPattern, "backslash"), BadPattern("LoneStar", "*", kPattern, "quantifier"),
        BadPattern("UnknownProperty", "\\p{Elvish}", kPattern, "Elvish"),
        BadPattern("CodePointTooLarge", "\\x{110000}", kPattern, "too large"),
        BadPattern("Backreference", "(a)\\1", kUnsupported, "\\1"),
        BadPattern("Recursion", "(a(?R)?)", kUnsupported, "(?R"), BadPattern("Verb", "(*COMMIT)a", kUnsupported, "(*"),
        BadPattern("Callout", "(?C1)a", kUnsupported, "(?C"), BadPattern("KeepOut", "a\\Kb", kUnsupported, "\\K"),
        BadPattern("NestedClass", "[a[bc]]", kUnsupported, "class inside a class"),
        BadPattern("PosixClass", "[[:alpha:]]", kUnsupported, "class inside a class"),
        BadPattern("ClassIntersection", "[a-z&&b-d]", kUnsupported, "intersection"),
        BadPattern("LateOptions", "a(?i)b", kUnsupported, "(?i)"),
        BadPattern("IntervalPlus", "\\p{N}{1,3}+", kUnsupported, "x{1,3}+"),
        BadPattern("CaseInClass", "(?i:[\\p{Lu}])", kUnsupported, "property of case"),
        BadPattern("StrayParenthesis", "a)", kPattern, "parenthesis"),
        BadPattern("HugeInterval", "a{1001}", kUnsupported, "1000")),
    [](const auto& info) { return info.param.name; });

TEST(RefusedFiles, BrokenJsonNamesTheByte) {
  const auto tokenizer = Tokenizer::Load("{\"model\": {,}}");
  EXPECT_THAT(tokenizer, HasReason(kInvalid));
  EXPECT_THAT(MessageOf(tokenizer.status()), HasSubstr("at byte 12"));
  EXPECT_THAT(Tokenizer::Load(""), HasReason(kInvalid));
  EXPECT_THAT(Tokenizer::Load("{\"version\": \"\xff\"}"), HasReason(kInvalid));
  EXPECT_THAT(Tokenizer::Load(std::string(1'000'000, '[')), HasReason(kInvalid));
}

TEST(RefusedFiles, KeysMustNotStandTwice) {
  EXPECT_THAT(Tokenizer::Load(R"({"model": {}, "model": {}})"), HasReason(kInvalid));
  EXPECT_THAT(Tokenizer::Load(R"({"model": {"vocab": {"a": 0}, "vocab": {}}})"), HasReason(kInvalid));
  std::string file = SmallTokenizer().dump();
  const std::string entry = "\"he\":256";
  file.replace(file.find(entry), entry.size(), "\"he\":256,\"he\":900");
  const auto tokenizer = Tokenizer::Load(file);
  EXPECT_THAT(tokenizer, HasReason(kInvalid));
  EXPECT_THAT(MessageOf(tokenizer.status()), HasSubstr("model.vocab[\"he\"]: the token occurs twice"));
}

TEST(RefusedFiles, FixturesOfOtherKindsByName) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::pair<const char*, const char*> kinds[] = {{"llama2", "normalizer.normalizers[0].type: Prepend"},
                                                       {"metaspace-bpe", "pre_tokenizer.type: Metaspace"},
                                                       {"unigram", "model.type: Unigram"},
                                                       {"gemma", "normalizer.type: Replace"}};
  for (const auto& [name, names] : kinds) {
    ASSERT_OK_AND_ASSIGN(const std::string file,
                         ReadFile(*shared + "/fixtures/tokenizers/" + name + "/tokenizer.json"));
    const auto tokenizer = Tokenizer::Load(file);
    EXPECT_THAT(tokenizer, HasReason(kUnsupported));
    EXPECT_THAT(MessageOf(tokenizer.status()), HasSubstr(names));
    EXPECT_THAT(MessageOf(tokenizer.status()), HasSubstr("supported: "));
  }
}

}  // namespace
}  // namespace bitwright::worker
