#include <bit>
#include <cmath>
#include <functional>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<int32_t>;

// A ModelProto as its wire format says, to change in tests.
struct Proto {
  static std::string Varint(uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out + static_cast<char>(value);
  }
  static std::string Number(int field, uint64_t value) { return Varint(field << 3) + Varint(value); }
  static std::string Bytes(int field, const std::string& value) {
    return Varint(field << 3 | 2) + Varint(value.size()) + value;
  }
  static std::string Piece(const std::string& text, float score, int type) {
    const auto bits = std::bit_cast<uint32_t>(score);
    std::string fixed;
    for (int i = 0; i < 4; ++i) fixed += static_cast<char>(bits >> (8 * i));
    return Bytes(1, Bytes(1, text) + Varint(2 << 3 | 5) + fixed + Number(3, type));
  }
  std::string pieces = Piece("<unk>", 0, 2) + Piece("<s>", 0, 3) + Piece("</s>", 0, 3) + Piece("\xE2\x96\x81", -1, 1) +
                       Piece("a", -1, 1) + Piece("b", -1, 1) + Piece("ab", -0.5F, 1);
  std::string trainer;  // BPE, unless it says otherwise
  std::string normalizer;

  std::string File() const { return pieces + Bytes(2, Number(3, 2) + trainer) + Bytes(3, normalizer); }
};

class GoldenModels : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenModels, IdsAreSentencePieces) {
  const std::string folder = SourcePath(std::string("tests/golden/tokenizer/") + GetParam());
  ASSERT_OK_AND_ASSIGN(const std::string file, ReadFile(folder + "/tokenizer.model"));
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::LoadSentencePiece(file));
  const std::vector<TokenizerCase> cases = LoadCases(folder);
  ASSERT_GE(cases.size(), 40u);
  for (const TokenizerCase& c : cases) {
    ASSERT_OK_AND_ASSIGN(const Ids ids, tokenizer->Encode(c.text, false));
    EXPECT_EQ(ids, c.ids) << c.text;
    ASSERT_OK_AND_ASSIGN(const Ids with_special, tokenizer->Encode(c.text, true));
    EXPECT_EQ(with_special, c.ids_with_special) << c.text;
  }
  EXPECT_THAT(Tokenizer::LoadSentencePiece(file.substr(0, file.size() / 2)), HasReason("TOKENIZER_INVALID"));
}

INSTANTIATE_TEST_SUITE_P(Tokenizer, GoldenModels,
                         ::testing::Values("sentencepiece-bpe", "sentencepiece-gemma", "sentencepiece-llama",
                                           "sentencepiece-unigram"));

TEST(SentencePiece, DecodesWithoutTheSpaceInFront) {
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::LoadSentencePiece(Proto().File()));
  ASSERT_OK_AND_ASSIGN(const Ids ids, tokenizer->Encode("ab a<s>b", true));
  EXPECT_EQ(ids, (Ids{1, 3, 6, 3, 4, 1, 3, 5}));
  ASSERT_OK_AND_ASSIGN(const std::string text, tokenizer->Decode(ids, true));
  EXPECT_EQ(text, "ab a b");
}

TEST(SentencePiece, RulesOfTheNormalizer) {
  struct Rule {
    std::string normalizer;
    const char* text;
    Ids ids;
  };
  const Rule rules[] = {
      {"", "  a   b ", {3, 4, 3, 5}},
      {"", "   ", {}},
      {"", "", {}},
      {Proto::Number(4, 0), " a  ", {3, 3, 4, 3, 3}},
      {Proto::Number(3, 0), "a b", {4, 3, 5}},
      {Proto::Number(3, 0) + Proto::Number(4, 0), " ", {3}},
  };
  for (const Rule& rule : rules) {
    Proto proto;
    proto.normalizer = rule.normalizer;
    ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::LoadSentencePiece(proto.File()));
    ASSERT_OK_AND_ASSIGN(const Ids ids, tokenizer->Encode(rule.text, false));
    EXPECT_EQ(ids, rule.ids) << rule.text;
  }
}

TEST(SentencePiece, PiecesOfTheUserStandAlone) {
  Proto proto;
  proto.pieces += Proto::Piece("ba", 0, 4);
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::LoadSentencePiece(proto.File()));
  ASSERT_OK_AND_ASSIGN(const Ids ids, tokenizer->Encode("aba", false));
  EXPECT_EQ(ids, (Ids{3, 4, 7})) << "\"ab\" would be joined";
}

struct BadModel {
  const char* name;
  std::function<void(Proto&)> change;
  const char* reason;
  const char* names;
};
void PrintTo(const BadModel& model, std::ostream* out) { *out << model.name; }

class RefusedModels : public ::testing::TestWithParam<BadModel> {};

TEST_P(RefusedModels, ByReasonAndName) {
  Proto proto;
  GetParam().change(proto);
  const auto tokenizer = Tokenizer::LoadSentencePiece(proto.File());
  EXPECT_THAT(tokenizer, HasReason(GetParam().reason));
  EXPECT_THAT(std::string(tokenizer.status().message()),
              HasSubstr(std::string("tokenizer.model: ") + GetParam().names));
}

constexpr char kInvalid[] = "TOKENIZER_INVALID";
constexpr char kUnsupported[] = "TOKENIZER_UNSUPPORTED";

BadModel BadPiece(const char* name, const std::string& piece, const char* names) {
  return {name, [piece](Proto& p) { p.pieces += piece; }, kInvalid, names};
}
BadModel BadTrainer(const char* name, const std::string& trainer, const char* reason, const char* names) {
  return {name, [trainer](Proto& p) { p.trainer = trainer; }, reason, names};
}

INSTANTIATE_TEST_SUITE_P(
    Tokenizer, RefusedModels,
    ::testing::Values(
        BadModel{"NoPieces", [](Proto& p) { p.pieces.clear(); }, kInvalid, "pieces: none is of type UNKNOWN"},
        BadPiece("TwoUnknown", Proto::Piece("<u>", 0, 2), "pieces: two are of type UNKNOWN"),
        BadPiece("PieceTwice", Proto::Piece("a", 0, 1), "pieces[7]: \"a\" occurs twice"),
        BadPiece("EmptyPiece", Proto::Piece("", 0, 1), "pieces[7].piece: must have 1 to 512 bytes"),
        BadPiece("LongPiece", Proto::Piece(std::string(513, 'a'), 0, 1), "pieces[7].piece: must have 1 to 512"),
        BadPiece("PieceNotUtf8", Proto::Piece("\xFF", 0, 1), "pieces[7].piece: is not UTF-8"),
        BadPiece("ScoreNotANumber", Proto::Piece("c", NAN, 1), "pieces[7].score: is not finite"),
        BadPiece("TypeUnknown", Proto::Piece("c", 0, 7), "pieces[7].type: 7 is not in 1 to 6"),
        BadPiece("PieceIsNoMessage", Proto::Bytes(1, "\x0A\x05"), "pieces[7]: is no message"),
        BadPiece("PieceIsANumber", Proto::Number(1, 3), "the file: is no message"),
        BadPiece("ByteWithoutFallback", Proto::Piece("<0x41>", 0, 6), "pieces[7]: is of type BYTE"),
        BadModel{"UnusedPiece", [](Proto& p) { p.pieces += Proto::Piece("c", 0, 5); }, kUnsupported,
                 "pieces[7].type: UNUSED"},
        BadModel{"CharacterThatIsNoPiece", [](Proto& p) { p.pieces += Proto::Piece("az", 0, 1); }, kUnsupported,
                 "pieces[7]: \"az\" with a character"},
        BadTrainer("Words", Proto::Number(3, 3), kUnsupported, "trainer_spec.model_type: WORD"),
        BadTrainer("ModelTypeUnknown", Proto::Number(3, 9), kInvalid, "trainer_spec.model_type: 9"),
        BadTrainer("SpaceBehind", Proto::Number(24, 1), kUnsupported, "trainer_spec.treat_whitespace_as_suffix"),
        BadTrainer("FallbackWithoutBytes", Proto::Number(35, 1), kInvalid, "pieces: has 0 bytes"),
        BadTrainer("FlagIsText", Proto::Bytes(35, "x"), kInvalid, "trainer_spec.byte_fallback"),
        BadModel{"SpacesNotEscaped", [](Proto& p) { p.normalizer = Proto::Number(5, 0); }, kUnsupported,
                 "normalizer_spec.escape_whitespaces"},
        BadModel{"BadCharsmap", [](Proto& p) { p.normalizer = Proto::Bytes(2, "abc"); }, kInvalid,
                 "normalizer_spec.precompiled_charsmap"}),
    [](const auto& info) { return info.param.name; });

// A tokenizer.json is no tokenizer.model, and the other way around.
TEST(SentencePiece, TheOtherFileIsRefused) {
  EXPECT_THAT(Tokenizer::LoadSentencePiece(SmallTokenizer().dump()), HasReason(kInvalid));
  EXPECT_THAT(Tokenizer::LoadSentencePiece(""), HasReason(kInvalid));
  EXPECT_THAT(Tokenizer::Load(Proto().File()), HasReason(kInvalid));
}

}  // namespace
}  // namespace bitwright::worker
