#include <functional>
#include <utility>

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
json Sequence(const char* list, const json& steps) { return {{"type", "Sequence"}, {list, steps}}; }
json Metaspace(const char* replacement, const char* scheme) {
  return {{"type", "Metaspace"}, {"replacement", replacement}, {"prepend_scheme", scheme}};
}
json Scores(const std::vector<std::pair<std::string, double>>& pieces) { return pieces; }
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
        Refusal{"NoType", [](json& f) { f["model"]["type"] = nullptr, f["model"].erase("merges"); }, kInvalid,
                "model.merges"},
        Refusal{"Dropout", [](json& f) { f["model"]["dropout"] = 0.1; }, kUnsupported, "model.dropout"},
        Refusal{"SubwordPrefix", [](json& f) { f["model"]["continuing_subword_prefix"] = "##"; }, kUnsupported,
                "continuing_subword_prefix"},
        Refusal{"WordSuffix", [](json& f) { f["model"]["end_of_word_suffix"] = "</w>"; }, kUnsupported,
                "end_of_word_suffix"},
        Refusal{"UnkThatIsNoToken",
                [](json& f) {
                  f["model"]["unk_token"] = "<unk>";
                  f["pre_tokenizer"] = nullptr;
                },
                kInvalid, "model.unk_token: \"<unk>\" is not in model.vocab"},
        Refusal{"FlagsOfWrongType", [](json& f) { f["model"]["fuse_unk"] = "no"; }, kInvalid, "model.fuse_unk"},
        Refusal{"BertNormalizer",
                [](json& f) {
                  f["normalizer"] = Sequence("normalizers", {{{"type", "BertNormalizer"}}});
                },
                kUnsupported, "normalizer.normalizers[0].type: BertNormalizer"},
        Refusal{"PrependOfWrongType",
                [](json& f) {
                  f["normalizer"] = {{"type", "Prepend"}, {"prepend", 1}};
                },
                kInvalid, "normalizer.prepend"},
        Refusal{"ReplaceWithoutPattern",
                [](json& f) {
                  f["normalizer"] = Sequence("normalizers", {{{"type", "Replace"}}});
                },
                kInvalid, "normalizer.normalizers[0].pattern"},
        Refusal{"ReplaceOfNothing",
                [](json& f) {
                  f["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}};
                },
                kUnsupported, "normalizer.pattern"},
        Refusal{"CharsmapNotBase64",
                [](json& f) {
                  f["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "%"}};
                },
                kInvalid, "normalizer.precompiled_charsmap"},
        Refusal{"CharsmapTooShort",
                [](json& f) {
                  f["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "CAAAAAAAAAA="}};
                },
                kInvalid, "has 4 bytes for a table of 8"},
        Refusal{"NormalizerWithoutType", [](json& f) { f["normalizer"] = json::object(); }, kInvalid,
                "normalizer.type"},
        Refusal{"BertPreTokenizer",
                [](json& f) {
                  f["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
                },
                kUnsupported, "BertPreTokenizer"},
        Refusal{"MetaspaceOfTwoCharacters", [](json& f) { f["pre_tokenizer"] = Metaspace("__", "first"); }, kInvalid,
                "pre_tokenizer.replacement"},
        Refusal{"MetaspaceSchemeUnknown", [](json& f) { f["pre_tokenizer"] = Metaspace("_", "last"); }, kInvalid,
                "pre_tokenizer.prepend_scheme"},
        Refusal{"MetaspaceSchemesDiffer",
                [](json& f) {
                  f["pre_tokenizer"] = Metaspace("_", "always");
                  f["pre_tokenizer"]["add_prefix_space"] = false;
                },
                kInvalid, "pre_tokenizer.add_prefix_space"},
        Refusal{"MetaspaceFirstBehindASplit",
                [](json& f) {
                  f["normalizer"] = {{"type", "NFKC"}};
                  f["pre_tokenizer"] = Sequence("pretokenizers", {Split({{"String", "-"}}), Metaspace("_", "first")});
                },
                kUnsupported, "pre_tokenizer.pretokenizers[1].prepend_scheme"},
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
                kUnsupported, "WordPiece"},
        Refusal{"StripOfTwoCharacters",
                [](json& f) {
                  f["decoder"] = {{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}};
                },
                kInvalid, "decoder.content"},
        Refusal{"UnigramOfBytes",
                [](json& f) {
                  f["model"] = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", Scores({{"<unk>", 0}})}};
                },
                kUnsupported, "ByteLevel before Unigram"},
        Refusal{"UnigramWithoutScores",
                [](json& f) {
                  f["model"]["type"] = "Unigram";
                  f["model"]["unk_id"] = 0;
                },
                kInvalid, "model.vocab"}),
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

json SmallUnigram() {
  json file = SmallTokenizer();
  file["pre_tokenizer"] = Metaspace("_", "always");
  file["model"] = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", Scores({{"<unk>", 0}, {"_", -1.5}, {"a", -2}})}};
  file["added_tokens"][0]["id"] = 3;
  return file;
}

TEST(RefusedFiles, ScoresOfAUnigram) {
  EXPECT_THAT(Tokenizer::Load(SmallUnigram().dump()), IsOk());
  const std::pair<json, const char*> vocabularies[] = {
      {json::array({"a"}), "model.vocab[0]: must be a pair"},
      {json::parse(R"([["a"]])"), "model.vocab[0]: must be a pair"},
      {json::parse(R"([[1, "a"]])"), "model.vocab[0]: must be a pair"},
      {json::parse(R"([["a", 1, 2]])"), "model.vocab[0]: must be a pair"},
      {json::parse(R"([["a", 1], ["b", null]])"), "model.vocab[1]: must be a pair"},
      {json::parse(R"([["a", 1], {"b": 1}])"), "model.vocab[1]: must be a pair"},
      {json::parse(R"([["a", [1]]])"), "model.vocab[0]: must be a pair"},
      {Scores({{"<unk>", 0}, {"", -1}}), "model.vocab[1]: the token must have 1 to 1024 bytes"},
      {Scores({{"<unk>", 0}, {std::string(1025, 'a'), -1}}), "model.vocab[1]: the token must have 1 to 1024"},
      {Scores({{"<unk>", 0}, {"a", -1}, {"a", -2}}), "model.vocab[\"a\"]: the token occurs twice"},
      {json::array(), "model.unk_id: 0 is not an id"},
      {json::object(), "model.vocab: must be there, an array"},
  };
  for (const auto& [vocabulary, names] : vocabularies) {
    json file = SmallUnigram();
    file["model"]["vocab"] = vocabulary;
    const auto tokenizer = Tokenizer::Load(file.dump());
    EXPECT_THAT(tokenizer, HasReason(kInvalid));
    EXPECT_THAT(MessageOf(tokenizer.status()), HasSubstr(names));
  }
  json file = SmallUnigram();
  file["model"]["unk_id"] = nullptr;
  EXPECT_THAT(Tokenizer::Load(file.dump()), HasReason(kUnsupported));
}

// Not at load: whether a pattern matches between characters shows in a text.
TEST(RefusedFiles, ReplacingBetweenCharacters) {
  json file = SmallTokenizer();
  file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"Regex", "x*"}}}, {"content", "y"}};
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Load(file.dump()));
  EXPECT_THAT(tokenizer->Encode("hello", false), HasReason(kUnsupported));
}

// Steps that lengthen a text multiply; the result is bounded by the text.
TEST(RefusedFiles, ATextThatGrowsWithoutEnd) {
  json file = SmallTokenizer();
  const json grow = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(1000, 'a')}};
  file["normalizer"] = Sequence("normalizers", json(60, grow));
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Load(file.dump()));
  EXPECT_THAT(tokenizer->Encode("a", false), HasReason("TEXT_TOO_LONG"));
}

}  // namespace
}  // namespace bitwright::worker
