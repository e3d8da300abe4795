#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "bitwright/v1/models.pb.h"
#include "proto/contract/task_names.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

v1::TaskSpec Tokenize(v1::Data::Kind kind, int window = 4) {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kTokenize);
  spec.mutable_tokenize()->set_kind(kind);
  spec.mutable_tokenize()->set_window(window);
  spec.mutable_tokenize()->set_max_tokens(1000);
  spec.mutable_tokenize()->set_vocab_size(384);
  return spec;
}

absl::StatusOr<Blobs> RunOnData(const v1::TaskSpec& spec, const std::string& data) {
  Blobs inputs = SmallModelBlobs();
  inputs[TaskFile::kData] = data;
  return RunOnBlobs(spec, inputs);
}

v1::TaskSpec Inspect() {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kInspect);
  spec.mutable_inspect();
  return spec;
}

Blobs ModelOf(Blobs inputs) {
  inputs.erase(TaskFile::kData);
  return inputs;
}

v1::TokenizeSummary SummaryOf(const Blobs& outputs) {
  v1::TokenizeSummary summary;
  EXPECT_TRUE(summary.ParseFromString(outputs.at(TaskFile::kSummary)));
  return summary;
}

TEST(Tokenize, EmptyText) { EXPECT_THAT(RunOnData(Tokenize(v1::Data::TEXT), ""), HasReason("DATA_INVALID")); }

TEST(Tokenize, TextWithoutATokenizer) {
  EXPECT_THAT(RunOnBlobs(Tokenize(v1::Data::TEXT), {{TaskFile::kData, "text"}}), HasReason("TASK_INPUT_MISSING"));
}

TEST(Tokenize, SentencePieceWhereThereIsNoTokenizerJson) {
  ASSERT_OK_AND_ASSIGN(const std::string file,
                       ReadFile(SourcePath("tests/golden/tokenizer/sentencepiece-bpe/tokenizer.model")));
  auto spec = Tokenize(v1::Data::TEXT);
  spec.mutable_tokenize()->set_vocab_size(420);
  Blobs inputs = SmallModelBlobs();
  inputs[TaskFile::kData] = "hello world, hello";
  inputs[ModelFileName("tokenizer.model")] = file;
  ASSERT_OK_AND_ASSIGN(const Blobs by_json, RunOnBlobs(spec, inputs));
  inputs.erase(ModelFileName("tokenizer.json"));
  ASSERT_OK_AND_ASSIGN(const Blobs by_model, RunOnBlobs(spec, inputs));
  EXPECT_NE(SummaryOf(by_json).sha256_of_all_ids(), SummaryOf(by_model).sha256_of_all_ids());
  ASSERT_OK_AND_ASSIGN(const Blobs inspected, RunOnBlobs(Inspect(), ModelOf(inputs)));
  v1::ModelInfo info;
  ASSERT_TRUE(info.ParseFromString(inspected.at(TaskFile::kInfo)));
  EXPECT_EQ(info.tokenizer_path(), "tokenizer.model");
}

TEST(Tokenize, TextShorterThanAWindowHasNone) {
  const auto outputs = RunOnData(Tokenize(v1::Data::TEXT, 64), "a");
  ASSERT_THAT(outputs, IsOk());
  EXPECT_EQ(SummaryOf(*outputs).windows(), 0);
  EXPECT_EQ(SummaryOf(*outputs).tokens_in_file(), 1);
  EXPECT_EQ(outputs->at(TaskFile::kIds), "");
}

TEST(Tokenize, ALastPartialWindowIsDropped) {
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnData(Tokenize(v1::Data::TEXT, 4), "0123456789"));
  const auto summary = SummaryOf(outputs);
  EXPECT_EQ(summary.windows(), summary.tokens_in_file() / 4);
  EXPECT_EQ(outputs.at(TaskFile::kIds).size(), static_cast<size_t>(summary.windows()) * 16);
}

TEST(Tokenize, AtMostTheTokensAskedFor) {
  auto spec = Tokenize(v1::Data::TOKEN_IDS_JSONL, 2);
  spec.mutable_tokenize()->set_max_tokens(5);
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnData(spec, "[1,2]\n[3,4]\n[5,6]\n[7,8]"));
  EXPECT_EQ(SummaryOf(outputs).windows(), 2);
  EXPECT_EQ(SummaryOf(outputs).tokens_in_file(), 8);
}

// Lines of two ids: line w is [w, w].
std::string Lines(int count) {
  std::string text;
  for (int w = 0; w < count; ++w) {
    text += (w == 0 ? "[" : "\n[") + std::to_string(w) + "," + std::to_string(w) + "]";
  }
  return text;
}

std::vector<int> WindowsOf(const Blobs& outputs, const char* name) {
  if (!outputs.contains(name)) return {};
  const std::string& bytes = outputs.at(name);
  std::vector<int32_t> ids(bytes.size() / sizeof(int32_t));
  std::memcpy(ids.data(), bytes.data(), bytes.size());
  std::vector<int> windows;
  for (size_t i = 0; i < ids.size(); i += 2) windows.push_back(ids[i]);
  return windows;
}

TEST(Tokenize, HeldOutWindowsAreSpreadAndComeOnTop) {
  struct Case {
    int lines, wanted, most;
    size_t used;
    std::vector<int> held_out;
  };
  for (const Case& one : {Case{100, 16, 4, 16, {8, 17}},  // two more than wanted
                          Case{16, 16, 4, 15, {8}},       // the text has no more
                          Case{8, 16, 4, 8, {}},          // too short
                          Case{100, 7, 4, 7, {}},         // too few are wanted
                          Case{300, 200, 4, 200, {50, 101, 152, 203}}, Case{100, 16, 0, 16, {}}}) {
    auto spec = Tokenize(v1::Data::TOKEN_IDS_JSONL, 2);
    spec.mutable_tokenize()->set_max_tokens(2 * one.wanted);
    spec.mutable_tokenize()->set_held_out(one.most);
    ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnData(spec, Lines(one.lines)));
    EXPECT_EQ(WindowsOf(outputs, TaskFile::kHeldOut), one.held_out) << one.lines;
    std::vector<int> used = WindowsOf(outputs, TaskFile::kIds);
    EXPECT_EQ(used.size(), one.used) << one.lines;
    EXPECT_EQ(SummaryOf(outputs).windows(), static_cast<int>(one.used));
    EXPECT_EQ(SummaryOf(outputs).held_out_windows(), static_cast<int>(one.held_out.size()));
    for (const int window : one.held_out) EXPECT_EQ(std::count(used.begin(), used.end(), window), 0) << window;
    used.insert(used.end(), one.held_out.begin(), one.held_out.end());
    std::sort(used.begin(), used.end());
    for (size_t w = 0; w < used.size(); ++w) EXPECT_EQ(used[w], static_cast<int>(w)) << "the first ones of the text";
  }
}

// Windows of several texts follow each other, each text cut as if it were alone.
TEST(Tokenize, SeveralTextsGiveTheirWindowsInOrder) {
  auto first = Tokenize(v1::Data::TOKEN_IDS_JSONL, 2);
  first.mutable_tokenize()->set_max_tokens(2 * 16);
  first.mutable_tokenize()->set_held_out(2);
  auto second = Tokenize(v1::Data::TEXT, 2);
  second.mutable_tokenize()->set_max_tokens(2 * 24);
  second.mutable_tokenize()->set_held_out(1);
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word " + std::to_string(i * i) + "; ";
  auto both = first;
  auto& further = *both.mutable_tokenize()->add_further();
  further.set_kind(v1::Data::TEXT);
  further.set_max_tokens(2 * 24);
  further.set_held_out(1);
  Blobs inputs = SmallModelBlobs();
  inputs[TaskFile::kData] = Lines(100);
  EXPECT_THAT(RunOnBlobs(both, inputs), HasReason("TASK_INPUT_MISSING"));
  inputs[Numbered(TaskFile::kData, 0)] = text;
  ASSERT_OK_AND_ASSIGN(const Blobs joined, RunOnBlobs(both, inputs));
  ASSERT_OK_AND_ASSIGN(const Blobs a, RunOnData(first, Lines(100)));
  ASSERT_OK_AND_ASSIGN(const Blobs b, RunOnData(second, text));
  for (const char* name : {TaskFile::kIds, TaskFile::kHeldOut}) EXPECT_EQ(joined.at(name), a.at(name) + b.at(name));
  const v1::TokenizeSummary summary = SummaryOf(joined);
  ASSERT_EQ(summary.texts_size(), 2);
  EXPECT_EQ(SummaryOf(a).texts_size(), 0);
  EXPECT_EQ(summary.texts(0).windows(), SummaryOf(a).windows());
  EXPECT_EQ(summary.texts(1).windows(), SummaryOf(b).windows());
  EXPECT_EQ(summary.texts(1).held_out_windows(), SummaryOf(b).held_out_windows());
  EXPECT_EQ(summary.windows(), SummaryOf(a).windows() + SummaryOf(b).windows());
  EXPECT_EQ(summary.tokens_in_file(), SummaryOf(a).tokens_in_file() + SummaryOf(b).tokens_in_file());
  EXPECT_EQ(summary.bytes(), static_cast<int64_t>(text.size()));
  inputs.erase(ModelFileName("tokenizer.json"));
  EXPECT_THAT(RunOnBlobs(both, inputs), HasReason("TASK_INPUT_MISSING")) << "the second is text";
  both.mutable_tokenize()->mutable_further(0)->set_max_tokens(0);
  EXPECT_THAT(RunOnBlobs(both, inputs), HasReason("TASK_SPEC_INVALID"));
}

TEST(Tokenize, IdsOutsideTheVocabulary) {
  EXPECT_THAT(RunOnData(Tokenize(v1::Data::TOKEN_IDS_JSONL, 2), "[0,383]"), IsOk());
  const auto run = RunOnData(Tokenize(v1::Data::TOKEN_IDS_JSONL, 2), "[0,1]\n[2,384]");
  EXPECT_THAT(run, HasReason("TOKEN_ID_OUT_OF_RANGE"));
  EXPECT_EQ(GetErrorDetail(run.status())->metadata.at("position"), "3");
  EXPECT_EQ(GetErrorDetail(run.status())->metadata.at("id"), "384");
}

TEST(Tokenize, ATokenizerLargerThanTheModel) {
  auto spec = Tokenize(v1::Data::TEXT);
  spec.mutable_tokenize()->set_vocab_size(3);
  EXPECT_THAT(RunOnData(spec, "zebra"), HasReason("TOKEN_ID_OUT_OF_RANGE"));
}

TEST(Tokenize, LinesOfAnotherLength) {
  for (const char* text : {"[1,2,3]", "[1,2,3,4]\n[1,2,3,4,5]", "[]", "", "1,2,3,4", "[1,2,3,-4]"}) {
    EXPECT_THAT(RunOnData(Tokenize(v1::Data::TOKEN_IDS_JSONL), text), HasReason("DATA_INVALID")) << text;
  }
}

TEST(Tokenize, AByteOrderMarkIsNoToken) {
  const std::string mark = "\xef\xbb\xbf";
  ASSERT_OK_AND_ASSIGN(const Blobs plain, RunOnData(Tokenize(v1::Data::TEXT), "0123456789"));
  ASSERT_OK_AND_ASSIGN(const Blobs marked, RunOnData(Tokenize(v1::Data::TEXT), mark + "0123456789"));
  EXPECT_EQ(marked, plain);
  ASSERT_OK_AND_ASSIGN(const Blobs ids, RunOnData(Tokenize(v1::Data::TOKEN_IDS_JSONL, 2), mark + "[1,2]\r\n[3,4]\r\n"));
  EXPECT_EQ(SummaryOf(ids).tokens_in_file(), 4);
}

TEST(Tokenize, DocumentsFollowEachOther) {
  ASSERT_OK_AND_ASSIGN(const Blobs one, RunOnData(Tokenize(v1::Data::TEXT), "0123"));
  ASSERT_OK_AND_ASSIGN(const Blobs both, RunOnData(Tokenize(v1::Data::DOCUMENTS_JSONL),
                                                   "{\"text\": \"0123\"}\n\n{\"content\": \"0123\"}\n"));
  EXPECT_EQ(SummaryOf(both).documents(), 2);
  EXPECT_EQ(SummaryOf(both).bytes(), 8);
  EXPECT_EQ(SummaryOf(both).tokens_in_file(), 2 * SummaryOf(one).tokens_in_file());
  EXPECT_THAT(RunOnData(Tokenize(v1::Data::DOCUMENTS_JSONL), "{\"text\": \"a\"}\n{}\n"), HasReason("DATA_INVALID"));
  EXPECT_THAT(RunOnData(Tokenize(v1::Data::DOCUMENTS_JSONL), "\n\n"), HasReason("DATA_INVALID"));
}

TEST(Tokenize, ConversationsAreRenderedWithTheModelsTemplate) {
  Blobs inputs = SmallModelBlobs();
  inputs[TaskFile::kData] = R"({"messages": [{"role": "user", "content": "23"}]})";
  const std::string file = ModelFileName("chat_template.jinja");
  inputs.erase(file);
  inputs.erase(ModelFileName("tokenizer_config.json"));
  EXPECT_THAT(RunOnBlobs(Tokenize(v1::Data::DOCUMENTS_JSONL), inputs), HasReason("CHAT_TEMPLATE_MISSING"));
  inputs[file] = "{% for m in messages %}01{{ m.content }}{% endfor %}";
  ASSERT_OK_AND_ASSIGN(const Blobs chat, RunOnBlobs(Tokenize(v1::Data::DOCUMENTS_JSONL), inputs));
  ASSERT_OK_AND_ASSIGN(const Blobs plain, RunOnData(Tokenize(v1::Data::TEXT), "0123"));
  EXPECT_EQ(chat.at(TaskFile::kIds), plain.at(TaskFile::kIds));
}

TEST(Tokenize, ATextThatTheVocabularyDoesNotCoverIsNoticed) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "日本";
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnData(Tokenize(v1::Data::TEXT), text));
  ASSERT_EQ(SummaryOf(outputs).notices_size(), 1);
  EXPECT_EQ(SummaryOf(outputs).notices(0).reason(), "TEXT_NOT_COVERED");
}

}  // namespace
}  // namespace bitwright::worker
