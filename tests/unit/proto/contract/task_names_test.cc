#include "proto/contract/task_names.h"

#include <gtest/gtest.h>

#include <set>

#include "bitwright/v1/tasks.pb.h"

namespace bitwright {
namespace {

TEST(TaskNames, KindsAreTheFieldsOfTheParams) {
  const std::set<std::string> kinds = {
      TaskKind::kInspect,  TaskKind::kImport,    TaskKind::kTokenize, TaskKind::kReference, TaskKind::kCalibrate,
      TaskKind::kMerge,    TaskKind::kCurvature, TaskKind::kProfile,  TaskKind::kCheck,     TaskKind::kAllocate,
      TaskKind::kQuantize, TaskKind::kEvaluate,  TaskKind::kChoose,   TaskKind::kQuestions, TaskKind::kScore,
      TaskKind::kGrade,    TaskKind::kSample,    TaskKind::kSelect,   TaskKind::kAssemble,  TaskKind::kReport,
      TaskKind::kProbe};
  std::set<std::string> fields;
  const auto* params = v1::TaskSpec::descriptor()->FindOneofByName("params");
  for (int i = 0; i < params->field_count(); ++i) fields.insert(params->field(i)->name());
  EXPECT_EQ(kinds, fields);
}

TEST(TaskNames, KeysAndNames) {
  EXPECT_EQ(TaskKey(TaskKind::kReference, 3), "reference[3]");
  EXPECT_EQ(TaskKey(TaskKind::kEvaluate, 1, 20), "evaluate[1,20]");
  EXPECT_EQ(TaskKey(TaskKind::kScore, 1, 0, 3), "score[1,0,3]");
  EXPECT_EQ(TaskKey(TaskKind::kTokenize, TaskUse::kCalibration), "tokenize[calibration]");
  EXPECT_EQ(TaskKey(TaskKind::kReference, TaskUse::kProfile, 1, 2), "reference[profile,1,2]");
  EXPECT_EQ(TaskKey(TaskKind::kEvaluate, TaskUse::kHeldOut, 2), "evaluate[held-out,2]");
  EXPECT_EQ(KindOfTaskKey(TaskKey(TaskKind::kEvaluate, 1, 20)), TaskKind::kEvaluate);
  EXPECT_EQ(KindOfTaskKey(TaskKind::kSelect), TaskKind::kSelect) << "one that occurs once";
  EXPECT_EQ(GoalKey(TaskKey(TaskKind::kQuantize, 3), 0), "quantize[3]");
  for (const std::string& key : {TaskKey(TaskKind::kQuantize, 3), std::string(TaskKind::kAllocate)}) {
    const std::string of_goal = GoalKey(key, 12);
    EXPECT_EQ(of_goal, key + "@12");
    EXPECT_EQ(GoalOfTaskKey(of_goal), 12);
    EXPECT_EQ(GoalOfTaskKey(key), 0);
    EXPECT_EQ(WithoutGoal(of_goal), key);
    EXPECT_EQ(KindOfTaskKey(of_goal), KindOfTaskKey(key));
  }
  EXPECT_EQ(Numbered(TaskFile::kWeights, 7), "weights/00007");
  EXPECT_EQ(Numbered(TaskFile::kTokens, 1, 12), "tokens/00001/00012");
  EXPECT_LT(Numbered(TaskFile::kWeights, 9), Numbered(TaskFile::kWeights, 10));
  EXPECT_TRUE(Numbered(TaskFile::kWeights, 7).starts_with(NumberedPrefix(TaskFile::kWeights)));
  EXPECT_EQ(ModelFileName("a/config.json"), "model/a/config.json");
  EXPECT_EQ(ArtifactFileName("config.json"), "file/config.json");
}

}  // namespace
}  // namespace bitwright
