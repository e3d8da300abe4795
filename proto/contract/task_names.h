#pragma once

#include <string>
#include <string_view>

// The names that the server writes into task specs and the workers read from them. Nobody parses such a name; whoever
// needs one makes it here. bitwright/v1/tasks.proto says what each task reads and writes.
namespace bitwright {

// TaskSpec.kind: the name of the params field that is set.
struct TaskKind {
  static constexpr char kInspect[] = "inspect";
  static constexpr char kImport[] = "import";
  static constexpr char kTokenize[] = "tokenize";
  static constexpr char kReference[] = "reference";
  static constexpr char kCalibrate[] = "calibrate";
  static constexpr char kMerge[] = "merge";
  static constexpr char kCurvature[] = "curvature";
  static constexpr char kProfile[] = "profile";
  static constexpr char kCheck[] = "check";
  static constexpr char kAllocate[] = "allocate";
  static constexpr char kQuantize[] = "quantize";
  static constexpr char kEvaluate[] = "evaluate";
  static constexpr char kChoose[] = "choose";
  static constexpr char kProbe[] = "probe";
  static constexpr char kQuestions[] = "questions";
  static constexpr char kScore[] = "score";
  static constexpr char kSample[] = "sample";
  static constexpr char kGrade[] = "grade";
  static constexpr char kSelect[] = "select";
  static constexpr char kAssemble[] = "assemble";
  static constexpr char kReport[] = "report";
};

// Inputs and outputs of tasks. An output has the name of the input that it becomes; where one task takes many of a
// kind, the inputs are Numbered.
struct TaskFile {
  static constexpr char kInfo[] = "info";
  static constexpr char kData[] = "data";
  static constexpr char kIds[] = "ids";
  static constexpr char kSummary[] = "summary";
  static constexpr char kHidden[] = "hidden";
  static constexpr char kActivations[] = "activations";
  static constexpr char kStatistics[] = "statistics";
  static constexpr char kCurvature[] = "curvature";
  static constexpr char kGradients[] = "gradients";
  static constexpr char kEnds[] = "ends";
  static constexpr char kSensitivity[] = "sensitivity";
  static constexpr char kChecks[] = "checks";
  static constexpr char kAllocation[] = "allocation";
  static constexpr char kPrices[] = "prices";
  static constexpr char kWeights[] = "weights";
  static constexpr char kTokens[] = "tokens";
  static constexpr char kHeldOut[] = "held_out";
  static constexpr char kChoice[] = "choice";
  static constexpr char kProbe[] = "probe";
  static constexpr char kQuestions[] = "questions";
  static constexpr char kScores[] = "scores";
  static constexpr char kSample[] = "sample";
  static constexpr char kGrade[] = "grade";
  static constexpr char kSelection[] = "selection";
  static constexpr char kManifest[] = "manifest";
  static constexpr char kProvenance[] = "provenance";
  static constexpr char kReport[] = "report";
};

// What a job's text, a reference or an inspection is for: the label of a node's key.
struct TaskUse {
  static constexpr char kCalibration[] = "calibration";
  static constexpr char kEvaluation[] = "evaluation";
  static constexpr char kProfile[] = "profile";
  static constexpr char kHeldOut[] = "held-out";
  static constexpr char kEnds[] = "ends";
  static constexpr char kImported[] = "imported";
  static constexpr char kPlan[] = "plan";
};

// Key of a node within its job, stable and unique there: "calibrate[1,3]", "tokenize[calibration]". A kind that occurs
// once has its own name as its key.
std::string TaskKey(std::string_view kind, int index);
std::string TaskKey(std::string_view kind, int first, int second);
std::string TaskKey(std::string_view kind, int first, int second, int third);
std::string TaskKey(std::string_view kind, std::string_view use);
std::string TaskKey(std::string_view kind, std::string_view use, int index);
std::string TaskKey(std::string_view kind, std::string_view use, int first, int second);

// Key of a node that serves one goal of several alone: of the first as it is, of others "quantize[3]@1".
std::string GoalKey(std::string key, int goal);
// Which goal a key is of: 0 also where it serves several.
int GoalOfTaskKey(std::string_view key);
// What GoalKey was given.
std::string_view WithoutGoal(std::string_view key);

// The kind of which a key was made.
std::string_view KindOfTaskKey(std::string_view key);

// "weights/00003": the order of names is the order of numbers. `number` is below 100,000.
std::string Numbered(std::string_view name, int number);
std::string Numbered(std::string_view name, int first, int second);
// What every Numbered name begins with: "weights/".
std::string NumberedPrefix(std::string_view name);

// Input that is the file `path` of the model's manifest, "model/{path}", and the prefix of all of them.
inline constexpr char kModelFilePrefix[] = "model/";
std::string ModelFileName(std::string_view path);
// Output that is the file `path` of an artifact or of an imported model, "file/{path}".
std::string ArtifactFileName(std::string_view path);

}  // namespace bitwright
