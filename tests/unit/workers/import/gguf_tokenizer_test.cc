#include "workers/import/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf_writer.h"
#include "workers/targets/gguf_vocabulary.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

using Files = std::map<std::string, std::string>;

absl::StatusOr<SplitGguf> GgufOf(const TempDir& dir, const std::vector<GgufSetting>& settings) {
  const auto plan = PlanGguf("x.gguf", settings, {});
  auto writer = GgufWriter::Create(dir / "x.gguf", *plan);
  BITWRIGHT_EXPECT_OK(writer->Close());
  return SplitGguf::Open({{"x.gguf", ModelFile(dir / "x.gguf")}}, {"x.gguf"});
}

absl::StatusOr<Files> Imported(const std::vector<GgufSetting>& settings, int64_t vocab) {
  const TempDir dir;
  const auto gguf = GgufOf(dir, settings);
  if (!gguf.ok()) return gguf.status();
  return ReadGgufTokenizer(*gguf, vocab);
}

std::vector<std::string> Texts(const std::string& shared) {
  std::vector<std::string> texts = {"",
                                    " ",
                                    "  two  spaces\n\n\ttabs  ",
                                    "Don't I'LL they've 1234567 3.14",
                                    "na\u00efve \u4f60\u597d \U0001F600 \u0e01\u0e33 e\u0301",
                                    "<s>[INST] <|endoftext|> <|im_start|> </s>"};
  const auto novel = ReadFile(shared + "/text/novel-valid.txt");
  EXPECT_THAT(novel, IsOk());
  texts.push_back(novel.ok() ? novel->substr(0, 200'000) : "");
  return texts;
}

// What the target writes of a tokenizer is read as one that gives the same ids.
TEST(GgufTokenizer, GivesTheIdsOfTheTokenizerThatTheFileWasMadeOf) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::vector<std::string> texts = Texts(*shared);
  for (const char* name : {"gpt2", "llama3", "qwen2", "smollm", "gemma"}) {
    const std::string folder = *shared + "/fixtures/tokenizers/" + name;
    ASSERT_OK_AND_ASSIGN(const std::string original, ReadFile(folder + "/tokenizer.json"));
    const auto config = ReadFile(folder + "/tokenizer_config.json");
    ASSERT_OK_AND_ASSIGN(const auto before, Tokenizer::Load(original));
    const int64_t vocab = before->vocab_size() + 5;
    const auto settings =
        GgufVocabulary(original, config.ok() ? std::optional<std::string_view>(*config) : std::nullopt, vocab);
    if (!settings.ok()) {
      ADD_FAILURE() << name << ": " << settings.status();
      continue;
    }
    ASSERT_OK_AND_ASSIGN(const Files files, Imported(*settings, vocab));
    const auto after = Tokenizer::Load(files.at("tokenizer.json"));
    ASSERT_THAT(after, IsOk()) << name;
    for (const std::string& text : texts) {
      for (const bool special : {false, true}) {
        ASSERT_OK_AND_ASSIGN(const auto expected, before->Encode(text, special));
        ASSERT_OK_AND_ASSIGN(const auto ids, (*after)->Encode(text, special));
        EXPECT_EQ(ids, expected) << name << ", special " << special << ": " << text.substr(0, 60);
      }
    }
    // And the target writes the same of it.
    const auto again = GgufVocabulary(files.at("tokenizer.json"), files.at("tokenizer_config.json"), vocab);
    ASSERT_THAT(again, IsOk()) << name;
    ASSERT_EQ(again->size(), settings->size()) << name;
    for (size_t i = 0; i < again->size(); ++i) {
      EXPECT_EQ((*again)[i].key, (*settings)[i].key) << name;
      EXPECT_TRUE((*again)[i].encoded == (*settings)[i].encoded) << name << ": " << (*again)[i].key;
    }
  }
}

// A field of a protobuf message.
std::string Field(int number, const std::string& bytes) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) field += static_cast<char>(size | 0x80);
  return field + static_cast<char>(size) + bytes;
}
std::string Field(int number, char value) {
  std::string tag;
  const int key = number << 3;
  if (key >= 0x80) tag += static_cast<char>(key | 0x80);
  tag += static_cast<char>(key >= 0x80 ? key >> 7 : key);
  return tag + value;
}
std::string Field(int number, float value) {
  std::string field(1, static_cast<char>(number << 3 | 5));
  AppendGgufNumber(field, value);
  return field;
}

// The same pieces and scores as a SentencePiece model and as a GGUF. The vocabulary of Llama 2, whose scores fall with
// its ids.
TEST(GgufTokenizer, JoinsByScoresAsSentencePieceDoes) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(*shared + "/fixtures/tokenizers/llama2/tokenizer.json"));
  const auto json = nlohmann::json::parse(text);
  const nlohmann::json& listed = json["model"]["vocab"];
  std::vector<std::string> tokens(listed.size());
  for (const auto& [token, id] : listed.items()) tokens.at(id.get<size_t>()) = token;
  std::vector<int32_t> types(tokens.size(), 1);
  std::vector<float> scores(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i == 0) types[i] = 2;
    if (i == 1 || i == 2) types[i] = 3;
    if (tokens[i].starts_with("<0x")) types[i] = 6;
    scores[i] = types[i] == 1 ? -static_cast<float>(i) : 0;
  }
  for (const bool prefix : {true, false}) {
    std::string model;
    for (size_t i = 0; i < tokens.size(); ++i) {
      model += Field(1, Field(1, tokens[i]) + Field(2, scores[i]) + Field(3, static_cast<char>(types[i])));
    }
    model += Field(2, Field(3, '\x02') + Field(35, '\x01'));
    model += Field(
        3, Field(1, std::string("identity")) + Field(3, static_cast<char>(prefix)) + Field(4, '\0') + Field(5, '\x01'));
    ASSERT_OK_AND_ASSIGN(const auto before, Tokenizer::LoadSentencePiece(model));
    ASSERT_OK_AND_ASSIGN(const Files files, Imported({GgufText("tokenizer.ggml.model", "llama"),
                                                      GgufTexts("tokenizer.ggml.tokens", tokens),
                                                      GgufNumbers<int32_t>("tokenizer.ggml.token_type", types),
                                                      GgufNumbers<float>("tokenizer.ggml.scores", scores),
                                                      GgufNumber("tokenizer.ggml.unknown_token_id", uint32_t{0}),
                                                      GgufNumber("tokenizer.ggml.add_space_prefix", prefix)},
                                                     static_cast<int64_t>(tokens.size())));
    ASSERT_OK_AND_ASSIGN(const auto after, Tokenizer::Load(files.at("tokenizer.json")));
    for (const std::string& one : Texts(*shared)) {
      if (one.find('<') != std::string::npos) continue;  // names of control tokens, which a text of SentencePiece is
      ASSERT_OK_AND_ASSIGN(const auto expected, before->Encode(one, false));
      ASSERT_OK_AND_ASSIGN(const auto ids, after->Encode(one, false));
      EXPECT_EQ(ids, expected) << prefix << ": " << one.substr(0, 60);
    }
  }
}

std::vector<GgufSetting> Tiny() {
  const std::vector<std::string> tokens = {"<unk>", "<s>", "</s>", "a", "b", "ab", "\u2581"}, merges = {"a b"};
  const std::vector<int32_t> types = {2, 3, 3, 1, 1, 1, 1};
  return {GgufText("tokenizer.ggml.model", "gpt2"),   GgufText("tokenizer.ggml.pre", "qwen2"),
          GgufTexts("tokenizer.ggml.tokens", tokens), GgufNumbers<int32_t>("tokenizer.ggml.token_type", types),
          GgufTexts("tokenizer.ggml.merges", merges), GgufNumber("tokenizer.ggml.bos_token_id", uint32_t{1})};
}

TEST(GgufTokenizer, SpecialTokensAndTheTemplateOfChats) {
  std::vector<GgufSetting> settings = Tiny();
  settings.push_back(GgufNumber("tokenizer.ggml.eos_token_id", uint32_t{2}));
  settings.push_back(GgufNumber("tokenizer.ggml.add_bos_token", true));
  settings.push_back(GgufNumber("tokenizer.ggml.add_eos_token", true));
  settings.push_back(GgufText("tokenizer.chat_template", "{{ messages }}"));
  ASSERT_OK_AND_ASSIGN(const Files files, Imported(settings, 7));
  const auto config = nlohmann::json::parse(files.at("tokenizer_config.json"));
  EXPECT_EQ(config["bos_token"], "<s>");
  EXPECT_EQ(config["eos_token"], "</s>");
  EXPECT_EQ(config["chat_template"], "{{ messages }}");
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Load(files.at("tokenizer.json")));
  ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode("ab", true));
  EXPECT_EQ(ids, (std::vector<int32_t>{1, 5, 2}));
}

TEST(GgufTokenizer, NoneWhereTheFileHasNone) {
  ASSERT_OK_AND_ASSIGN(Files files, Imported({GgufText("tokenizer.ggml.model", "none")}, 7));
  EXPECT_TRUE(files.empty());
  ASSERT_OK_AND_ASSIGN(files, Imported({}, 7));
  EXPECT_TRUE(files.empty());
}

TEST(GgufTokenizer, WhatIsWrongIsNamed) {
  EXPECT_THAT(Imported(Tiny(), 7), IsOk());
  EXPECT_THAT(Imported(Tiny(), 6), HasReason("TOKENIZER_INVALID")) << "more tokens than rows";
  const auto with = [](const GgufSetting& setting) {
    std::vector<GgufSetting> settings = Tiny();
    std::erase_if(settings, [&](const GgufSetting& one) { return one.key == setting.key; });
    settings.push_back(setting);
    return Imported(settings, 7);
  };
  const std::vector<std::string> twice = {"a", "a"}, bad = {"\xff"}, empty = {""}, none = {"ab"};
  EXPECT_THAT(with(GgufTexts("tokenizer.ggml.tokens", twice)), HasReason("TOKENIZER_INVALID"));
  EXPECT_THAT(with(GgufTexts("tokenizer.ggml.merges", none)), HasReason("TOKENIZER_INVALID"));
  EXPECT_THAT(with(GgufNumbers<int32_t>("tokenizer.ggml.token_type", std::vector<int32_t>{1})),
              HasReason("TOKENIZER_INVALID"));
  EXPECT_THAT(with(GgufText("tokenizer.ggml.pre", "default")), HasReason("IMPORT_GGUF_UNSUPPORTED"));
  EXPECT_THAT(with(GgufText("tokenizer.ggml.model", "t5")), HasReason("IMPORT_GGUF_UNSUPPORTED"));
  EXPECT_THAT(with(GgufText("tokenizer.ggml.model", "llama")), HasReason("GGUF_KEY_MISSING")) << "no scores";
  EXPECT_THAT(with(GgufText("tokenizer.ggml.tokens", "a")), HasReason("GGUF_VALUE_KIND_WRONG"));
  for (const auto& tokens : {bad, empty}) {
    std::vector<GgufSetting> settings = {
        GgufText("tokenizer.ggml.model", "gpt2"), GgufText("tokenizer.ggml.pre", "gpt-2"),
        GgufTexts("tokenizer.ggml.tokens", tokens), GgufTexts("tokenizer.ggml.merges", std::vector<std::string>())};
    EXPECT_THAT(Imported(settings, 7), HasReason("TOKENIZER_INVALID"));
  }
}

}  // namespace
}  // namespace bitwright::worker
