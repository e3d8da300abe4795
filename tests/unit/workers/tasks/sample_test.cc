#include <gtest/gtest.h>

#include <cstring>

#include "bitwright/v1/reports.pb.h"
#include "proto/contract/task_names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"

// What a model writes, always taking the most likely token.
namespace bitwright::worker {
namespace {

v1::TaskSpec Sample(int prompt, int tokens) {
  v1::TaskSpec spec;
  spec.mutable_sample()->set_prompt_tokens(prompt);
  spec.mutable_sample()->set_tokens(tokens);
  return spec;
}

std::string Bytes(const std::vector<int32_t>& ids) {
  return std::string(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t));
}

absl::StatusOr<v1::Continuation> Write(const v1::TaskSpec& spec, const std::string& ids) {
  Blobs inputs = SmallModelBlobs();
  if (!ids.empty()) inputs[TaskFile::kIds] = ids;
  const auto outputs = RunOnBlobs(spec, inputs, 2);
  if (!outputs.ok()) return outputs.status();
  v1::Continuation continuation;
  EXPECT_TRUE(continuation.ParseFromString(outputs->at(TaskFile::kSample)));
  return continuation;
}

std::vector<int32_t> IdsOf(const v1::Continuation& continuation) {
  return {continuation.ids().begin(), continuation.ids().end()};
}

const std::vector<int32_t> kPrompt = {5, 17, 101, 250, 33};

// A token at a time, each with all before it as its prompt.
TEST(Sample, IsWhatOneTokenAfterTheOtherGives) {
  ASSERT_OK_AND_ASSIGN(const v1::Continuation at_once, Write(Sample(5, 12), Bytes(kPrompt)));
  ASSERT_EQ(at_once.ids_size(), 12);
  std::vector<int32_t> ids = kPrompt;
  for (int t = 0; t < 12; ++t) {
    ASSERT_OK_AND_ASSIGN(const v1::Continuation one, Write(Sample(static_cast<int>(ids.size()), 1), Bytes(ids)));
    ids.push_back(one.ids(0));
  }
  EXPECT_EQ(IdsOf(at_once), std::vector<int32_t>(ids.begin() + 5, ids.end()));
  EXPECT_EQ(at_once.prompt_size(), 5);
  EXPECT_FALSE(at_once.text().empty());
}

// The text behind the prompt is where the search begins, and has no part in what is found.
TEST(Sample, ADraftChangesNothing) {
  ASSERT_OK_AND_ASSIGN(const v1::Continuation alone, Write(Sample(5, 12), Bytes(kPrompt)));
  std::vector<int32_t> text = kPrompt;
  for (int t = 0; t < 40; ++t) text.push_back(t * 7 % 384);
  ASSERT_OK_AND_ASSIGN(const v1::Continuation drafted, Write(Sample(5, 12), Bytes(text)));
  EXPECT_EQ(IdsOf(drafted), IdsOf(alone));
  text = kPrompt;
  for (const int32_t id : alone.ids()) text.push_back(id);
  ASSERT_OK_AND_ASSIGN(const v1::Continuation known, Write(Sample(5, 12), Bytes(text)));
  EXPECT_EQ(IdsOf(known), IdsOf(alone));
}

TEST(Sample, APromptIsTokenized) {
  auto spec = Sample(100, 4);
  spec.mutable_sample()->set_prompt("a prompt of words");
  ASSERT_OK_AND_ASSIGN(const v1::Continuation whole, Write(spec, ""));
  EXPECT_EQ(whole.prompt_text(), "a prompt of words");
  const std::vector<int32_t> prompt(whole.prompt().begin(), whole.prompt().end());
  ASSERT_OK_AND_ASSIGN(const v1::Continuation by_ids, Write(Sample(static_cast<int>(prompt.size()), 4), Bytes(prompt)));
  EXPECT_EQ(IdsOf(whole), IdsOf(by_ids));
  spec.mutable_sample()->set_prompt_tokens(3);
  ASSERT_OK_AND_ASSIGN(const v1::Continuation end, Write(spec, ""));
  EXPECT_EQ(std::vector<int32_t>(end.prompt().begin(), end.prompt().end()),
            std::vector<int32_t>(prompt.end() - 3, prompt.end()));
}

TEST(Sample, FaultsOfItsInputs) {
  EXPECT_THAT(Write(Sample(2, 4), Bytes({5, 384})), HasReason("TOKEN_ID_OUT_OF_RANGE"));
  EXPECT_THAT(Write(Sample(5, 4), ""), HasReason("TASK_INPUT_MISSING"));
  EXPECT_THAT(Write(Sample(125, 4), Bytes(kPrompt)), HasReason("TASK_SPEC_INVALID")) << "the model has 128 positions";
  EXPECT_THAT(Write(Sample(6, 4), Bytes(kPrompt)), HasReason("TASK_INPUT_DAMAGED")) << "there are five";
}

// The report of a chain compares a plan's continuation with itself; another differs where it does.
TEST(Sample, TheReportSaysWhereTwoPart) {
  const Chain chain = RunChain(1);
  const auto report = OutputIn<v1::Report>(chain, OutputOf(TaskKind::kReport, TaskFile::kReport));
  EXPECT_EQ(report.sample().first_divergence(), -1);
  EXPECT_EQ(report.sample().base_ids_size(), 12);
  EXPECT_EQ(report.sample().prompt_ids_size(), 40);
  const ChainTask& task = chain.tasks.back();
  Blobs inputs = task.inputs;
  v1::Continuation other;
  ASSERT_TRUE(other.ParseFromString(inputs.at(Numbered(TaskFile::kSample, 1))));
  other.set_ids(4, 383 - other.ids(4));
  inputs[Numbered(TaskFile::kSample, 1)] = other.SerializeAsString();
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(task.spec, inputs));
  v1::Report parted;
  ASSERT_TRUE(parted.ParseFromString(outputs.at(TaskFile::kReport)));
  EXPECT_EQ(parted.sample().first_divergence(), 4);
}

}  // namespace
}  // namespace bitwright::worker
