#include "workers/choices/grade.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitwright::worker {
namespace {

// Of three questions the first is right by both, the second by length alone, the third by neither. By hand.
TEST(Grade, AccuracyWithAndWithoutTheLengthOfTheChoices) {
  const std::vector<AnsweredQuestion> questions = {
      {{-1, -2}, {1, 1}, 0}, {{-4, -5}, {2, 10}, 1}, {{-3, -3.5, -9}, {3, 7, 3}, 2}};
  const v1::ChoiceGrade grade = Grade(v1::ARC, questions);
  EXPECT_EQ(grade.questions(), 3);
  ASSERT_EQ(grade.metrics_size(), 2);
  EXPECT_EQ(grade.metrics(0).name(), "acc");
  EXPECT_DOUBLE_EQ(grade.metrics(0).value(), 1.0 / 3);
  EXPECT_EQ(grade.metrics(1).name(), "acc_norm");
  EXPECT_DOUBLE_EQ(grade.metrics(1).value(), 2.0 / 3);
  // The sample standard deviation of 1, 0, 0 is √(2/3 · 1/3 · 3/2) = √(1/3).
  EXPECT_NEAR(grade.metrics(0).standard_error(), std::sqrt(1.0 / 3) / std::sqrt(3.0), 1e-15);
  EXPECT_NEAR(grade.metrics(1).standard_error(), grade.metrics(0).standard_error(), 1e-15);
}

TEST(Grade, TheFirstOfEqualsCounts) {
  EXPECT_EQ(Grade(v1::PIQA, std::vector<AnsweredQuestion>{{{-1, -1}, {1, 1}, 0}}).metrics(0).value(), 1);
  EXPECT_EQ(Grade(v1::PIQA, std::vector<AnsweredQuestion>{{{-1, -1}, {1, 1}, 1}}).metrics(0).value(), 0);
}

TEST(Grade, MetricsAreThoseOfTheTask) {
  const std::vector<AnsweredQuestion> one = {{{-1, -2}, {1, 1}, 0}};
  for (const auto& [task, metrics] :
       {std::pair{v1::HELLASWAG, 2}, {v1::ARC, 2}, {v1::PIQA, 2}, {v1::WINOGRANDE, 1}, {v1::BOOLQ, 1}}) {
    const v1::ChoiceGrade grade = Grade(task, one);
    EXPECT_EQ(grade.metrics_size(), metrics) << task;
    EXPECT_EQ(grade.metrics(0).standard_error(), 0) << "of one question";
    EXPECT_EQ(grade.task(), task);
  }
}

}  // namespace
}  // namespace bitwright::worker
