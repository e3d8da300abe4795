#include "workers/choices/question_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

// Expected texts are those of lm-evaluation-harness 0.4.13, which tests/consumers/choices_test.py runs.
namespace bitwright::worker {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Question> ReadLine(const std::string& line, int64_t number = 1) {
  QuestionReader reader;
  return reader.Read(line, number);
}

Question Read(const std::string& line) {
  const auto question = ReadLine(line);
  EXPECT_THAT(question, IsOk()) << line;
  return question.ok() ? *question : Question{{{}, {}}, 0};
}

TEST(QuestionReader, HellaSwagIsCleanedAndCapitalized) {
  const Question question = Read(
      R"({"ind": 4, "activity_label": "Baking", "ctx_a": "A cook [header] takes  an egg.", "ctx_b": "she THEN",)"
      R"( "ctx": "unused", "endings": ["breaks it [substeps] now.", " [title] Ärger  über  alles "], "label": "1",)"
      R"( "source_id": "wikihow~1", "split": "val", "split_type": "indomain"})");
  ASSERT_EQ(question.choices.size(), 2u);
  EXPECT_EQ(question.choices[0].context, "Baking: A cook takes an egg. She then");
  EXPECT_EQ(question.choices[0].continuation, " breaks it now.");
  EXPECT_EQ(question.choices[1].continuation, "  Ärger über alles") << "stripped before the title goes";
  EXPECT_EQ(question.choices[1].characters, 17) << "code points, without the space before";
  EXPECT_EQ(question.answer, 1);
}

TEST(QuestionReader, BracketsGoWithinALineAlone) {
  const auto ending = [](const std::string& text) {
    return Read(R"({"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": [")" + text +
                R"(", "x"], "label": 0})")
        .choices[0]
        .continuation;
  };
  EXPECT_EQ(ending("a[b]c[d"), " ac[d");
  EXPECT_EQ(ending("[x\\n]y[z]"), " [x\n]y");
  EXPECT_EQ(ending("a[[b]]c"), " a]c");
  EXPECT_EQ(ending("do [title] this"), " do. this");
  EXPECT_EQ(ending("a    b"), " a  b") << "two spaces become one, once";
}

TEST(QuestionReader, ArcTakesTheAnswerByItsLabel) {
  const Question question =
      Read(R"({"id": "q1", "question": "Why?", "choices": {"text": ["one", "two", "three"], "label": ["1", "2", "3"]},)"
           R"( "answerKey": "3"})");
  EXPECT_EQ(question.choices[1].context, "Question: Why?\nAnswer:");
  EXPECT_EQ(question.choices[1].continuation, " two");
  EXPECT_EQ(question.answer, 2);
}

TEST(QuestionReader, PiqaWinoGrandeAndBoolQ) {
  const Question piqa = Read(R"({"goal": "Boil", "sol1": "heat it", "sol2": "freeze it", "label": 0})");
  EXPECT_EQ(piqa.choices[0].context, "Question: Boil\nAnswer:");
  EXPECT_EQ(piqa.choices[1].continuation, " freeze it");
  EXPECT_EQ(piqa.answer, 0);
  const Question wino = Read(
      R"({"qID": "3", "sentence": "The cup hit the plate, so the _ broke.  ", "option1": "cup", "option2": "plate",)"
      R"( "answer": "2"})");
  EXPECT_EQ(wino.choices[0].context, "The cup hit the plate, so the cup");
  EXPECT_EQ(wino.choices[1].context, "The cup hit the plate, so the plate");
  EXPECT_EQ(wino.choices[1].continuation, " broke.");
  EXPECT_EQ(wino.answer, 1);
  const Question boolq = Read(R"({"passage": "Ice melts.", "question": "does ice melt", "answer": true})");
  EXPECT_EQ(boolq.choices[1].context, "Ice melts.\nQuestion: does ice melt?\nAnswer:");
  EXPECT_EQ(boolq.choices[1].continuation, " yes");
  EXPECT_EQ(boolq.answer, 1);
  EXPECT_EQ(Read(R"({"passage": "p", "question": "q", "idx": 7, "label": 0})").answer, 0);
}

TEST(QuestionReader, WhatIsNoQuestionIsRefusedWithItsLine) {
  const std::string arc = R"("question": "q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": )";
  const std::pair<std::string, const char*> faults[] = {
      {"not json", "is not a JSON object"},
      {"[1]", "is not a JSON object"},
      {R"({"text": "hello"})", "fields of none of these: HellaSwag (activity_label"},
      {"{" + arc + R"("A", "hint": 1})", "has a field 'hint' that is not known; ARC has question, choices, answerKey"},
      {"{" + arc + R"("Z"})", "no label of its choices"},
      {"{" + arc + "1}", "no string as 'answerKey'"},
      {R"({"goal": "g", "sol1": "a", "label": 0})", "lacks the field 'sol2'; PIQA has goal, sol1, sol2, label"},
      {R"({"goal": "g", "sol1": "a", "sol2": "b", "label": 2})", "no index of a choice, 0 to 1, as 'label'"},
      {R"({"goal": "g", "sol1": "a", "sol2": "b", "label": -1})", "no index of a choice"},
      {R"({"goal": "g", "sol1": "a", "sol2": "", "label": 1})", "a choice without a character"},
      {R"({"sentence": "no gap", "option1": "a", "option2": "b", "answer": "1"})", "no '_' in 'sentence'"},
      {R"({"sentence": "a _ b", "option1": "a", "option2": "b", "answer": "3"})", "neither \"1\" nor \"2\""},
      {R"({"passage": "p", "question": "q"})", "no index of a choice"},
      {R"({"passage": "p", "question": "q", "answer": "yes"})", "neither true nor false"},
      {R"({"passage": "p", "question": "q", "answer": true, "label": 1})", "a label and an answer"},
      {R"({"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": ["one"], "label": 0})", "two strings or more"},
      {R"({"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": ["x", 1], "label": 0})",
       "two strings or more"},
      {R"({"question": "q", "choices": {"text": ["a", "b"], "label": ["A"]}, "answerKey": "A"})",
       "two strings or more"},
      {R"({"question": "q", "choices": ["a", "b"], "answerKey": "A"})", "no object of 'text' and 'label'"},
  };
  for (const auto& [line, problem] : faults) {
    const auto question = ReadLine(line, 17);
    ASSERT_THAT(question, HasReason("QUESTION_INVALID")) << line;
    EXPECT_THAT(std::string(question.status().message()), HasSubstr("line 17 of the questions")) << line;
    EXPECT_THAT(std::string(question.status().message()), HasSubstr(problem)) << line;
    EXPECT_EQ(GetErrorDetail(question.status())->metadata.at("line"), "17");
  }
}

TEST(QuestionReader, AFileIsOfOneTask) {
  QuestionReader reader;
  EXPECT_EQ(reader.task(), v1::CHOICE_TASK_UNSPECIFIED);
  EXPECT_THAT(reader.Read(R"({"goal": "g", "sol1": "a", "sol2": "b", "label": 0})", 1), IsOk());
  EXPECT_EQ(reader.task(), v1::PIQA);
  const auto other = reader.Read(R"({"passage": "p", "question": "q", "answer": true})", 2);
  EXPECT_THAT(other, HasReason("QUESTION_INVALID"));
  EXPECT_THAT(std::string(other.status().message()), HasSubstr("is of BoolQ, those before of PIQA"));
}

}  // namespace
}  // namespace bitwright::worker
