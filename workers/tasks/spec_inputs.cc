#include "workers/tasks/spec_inputs.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/model_parts.h"
#include "proto/contract/task_names.h"
#include "proto/inputs/model_folder.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

constexpr char kField[] = "inputs";

// The inputs of one kind.
struct Wanted {
  std::vector<std::string> needed;
  bool model = false;                 // any "model/{path}" may be there
  std::vector<std::string> numbered;  // "name/00000" and so on, at least one
  std::vector<std::string> maybe;     // may be there
  int candidates = 0, shards = 0;     // "tokens/{candidate}/{shard}", all of them
};

// The file that the text is tokenized with: the first that is there.
std::string TokenizerOf(const v1::TaskSpec& spec) {
  for (const std::string_view file : kTokenizerFiles) {
    const std::string name = ModelFileName(file);
    for (const v1::TaskInput& input : spec.inputs()) {
      if (input.name() == name) return name;
    }
  }
  return ModelFileName(kTokenizerFiles[0]);
}

// What runs windows of ids through blocks: behind the first blocks it begins with what has left those before.
Wanted Stream(const v1::Range& blocks, std::vector<std::string> more) {
  more.emplace_back(TaskFile::kIds);
  if (blocks.begin() > 0) more.emplace_back(TaskFile::kActivations);
  return {.needed = std::move(more), .model = true};
}

// The texts, and what those that are no ids are tokenized with.
Wanted Texts(const v1::TaskSpec& spec) {
  Wanted wanted{.needed = {TaskFile::kData}, .model = true};
  bool ids = spec.tokenize().kind() == v1::Data::TOKEN_IDS_JSONL;
  for (int t = 0; t < spec.tokenize().further_size(); ++t) {
    wanted.needed.push_back(Numbered(TaskFile::kData, t));
    ids = ids && spec.tokenize().further(t).kind() == v1::Data::TOKEN_IDS_JSONL;
  }
  if (!ids) wanted.needed.push_back(TokenizerOf(spec));
  return wanted;
}

Wanted WantedOf(const v1::TaskSpec& spec) {
  const std::string config = ModelFileName("config.json");
  switch (spec.params_case()) {
    case v1::TaskSpec::kInspect:
    case v1::TaskSpec::kImport:
      return {.model = true};
    case v1::TaskSpec::kTokenize:
      return Texts(spec);
    case v1::TaskSpec::kReference:
      return Stream(spec.reference().blocks(), {});
    case v1::TaskSpec::kCalibrate:
      return Stream(spec.calibrate().blocks(), {});
    case v1::TaskSpec::kMerge:
      return {.numbered = {TaskFile::kStatistics}};
    case v1::TaskSpec::kCurvature: {
      // Which blocks are the last ones, the model knows.
      Wanted wanted = Stream(spec.curvature().blocks(), {});
      wanted.maybe = {TaskFile::kGradients};
      return wanted;
    }
    case v1::TaskSpec::kProfile:
      if (spec.profile().ends()) return {.needed = {TaskFile::kIds}, .model = true, .numbered = {TaskFile::kEnds}};
      return {.needed = {TaskFile::kStatistics}, .model = true, .numbered = {TaskFile::kCurvature}};
    case v1::TaskSpec::kCheck: {
      Wanted wanted = Stream(spec.check().blocks(), {TaskFile::kHidden, TaskFile::kStatistics});
      wanted.numbered = {TaskFile::kCurvature};
      return wanted;
    }
    case v1::TaskSpec::kAllocate:
      return {.needed = {TaskFile::kInfo}, .numbered = {TaskFile::kSensitivity, TaskFile::kChecks}};
    case v1::TaskSpec::kQuantize:
      if (spec.quantize().ends()) return {.model = true, .numbered = {TaskFile::kEnds}};
      return {.needed = {TaskFile::kStatistics}, .model = true};
    case v1::TaskSpec::kEvaluate:
      return {.needed = {TaskFile::kIds, TaskFile::kHidden}, .model = true, .numbered = {TaskFile::kWeights}};
    case v1::TaskSpec::kChoose: {
      Wanted wanted{.needed = {TaskFile::kInfo, TaskFile::kAllocation}};
      for (int c = 0; c < spec.choose().candidates(); ++c) wanted.needed.push_back(Numbered(TaskFile::kTokens, c));
      return wanted;
    }
    case v1::TaskSpec::kProbe:
      return {.needed = {TaskFile::kInfo, TaskFile::kAllocation}, .numbered = {TaskFile::kTokens}};
    case v1::TaskSpec::kSelect:
      return {.needed = {TaskFile::kInfo, TaskFile::kAllocation, config},
              .model = true,
              .maybe = {TaskFile::kChoice},
              .candidates = spec.select().plans_size(),
              .shards = spec.select().shards()};
    case v1::TaskSpec::kQuestions:
      return {.needed = {TaskFile::kData, TokenizerOf(spec)}, .model = true};
    case v1::TaskSpec::kScore:
      if (!spec.score().quantized()) return {.needed = {TaskFile::kQuestions}, .model = true};
      return {.needed = {TaskFile::kQuestions}, .model = true, .numbered = {TaskFile::kWeights}};
    case v1::TaskSpec::kSample: {
      Wanted wanted{.model = true};
      if (spec.sample().prompt().empty()) wanted.needed = {TaskFile::kIds};
      if (!spec.sample().quantized()) return wanted;
      wanted.numbered = {TaskFile::kWeights};
      wanted.maybe = {TaskFile::kSample};
      return wanted;
    }
    case v1::TaskSpec::kGrade: {
      Wanted wanted{.needed = {TaskFile::kQuestions}};
      for (int s = 0; s < spec.grade().shards(); ++s) wanted.needed.push_back(Numbered(TaskFile::kScores, s));
      return wanted;
    }
    case v1::TaskSpec::kAssemble:
      return {.needed = {TaskFile::kInfo, TaskFile::kAllocation, TaskFile::kSelection, config},
              .model = true,
              .numbered = {TaskFile::kWeights}};
    case v1::TaskSpec::kReport: {
      Wanted wanted{.needed = {TaskFile::kInfo, TaskFile::kAllocation, TaskFile::kPrices, TaskFile::kSelection,
                               TaskFile::kManifest, TaskFile::kProvenance}};
      for (int f = 0; f < spec.report().spec().choices_size(); ++f) {
        for (const int model : {0, 1}) wanted.needed.push_back(Numbered(TaskFile::kGrade, f, model));
      }
      if (spec.report().spec().has_sample()) {
        for (const int model : {0, 1}) wanted.needed.push_back(Numbered(TaskFile::kSample, model));
      }
      return wanted;
    }
    case v1::TaskSpec::PARAMS_NOT_SET:
      break;
  }
  return {};
}

// The names that are there and not yet accounted for.
using Names = std::set<std::string>;

// Whether pieces can be mapped, and lie within their file.
absl::Status CheckPieces(const v1::TaskInput& input) {
  const std::string field = std::string(kField) + ".pieces";
  const int64_t size = input.digest().size_bytes();
  int64_t last = 0;
  for (const v1::FilePiece& piece : input.pieces()) {
    const int64_t offset = piece.offset(), bytes = piece.digest().size_bytes();
    if (offset < last || offset % kPieceAlignment != 0) {
      return TaskSpecInvalidError(field + ".offset", std::to_string(offset),
                                  "a multiple of " + std::to_string(kPieceAlignment) + ", rising from 0");
    }
    if (offset >= size || bytes <= 0 || bytes > size - offset) {
      return TaskSpecInvalidError(field + ".digest.size_bytes", std::to_string(bytes),
                                  "1 to what the file has from the offset on");
    }
    if (!IsSha256Hex(piece.digest().sha256())) {
      return TaskSpecInvalidError(field + ".digest.sha256", piece.digest().sha256(), "64 hexadecimal digits");
    }
    last = offset;
  }
  return absl::OkStatus();
}

absl::StatusOr<Names> NamesOf(const v1::TaskSpec& spec) {
  Names names;
  std::string_view last;
  for (const v1::TaskInput& input : spec.inputs()) {
    ABSL_RETURN_IF_ERROR(CheckPieces(input));
    if (input.name().empty()) return TaskSpecInvalidError(kField, "", "names that are not empty");
    if (input.name() <= last) return TaskSpecInvalidError(kField, input.name(), "names in rising order, each once");
    last = input.name();
    names.insert(input.name());
  }
  return names;
}

absl::Status Take(Names& names, const std::string& name) {
  return names.erase(name) == 1 ? absl::OkStatus() : TaskInputMissingError(name);
}

// "name/00000" and so on, as many as there are without a gap.
absl::Status TakeNumbered(Names& names, const std::string& name) {
  ABSL_RETURN_IF_ERROR(Take(names, Numbered(name, 0)));
  for (int number = 1; names.erase(Numbered(name, number)) == 1; ++number) {
  }
  return absl::OkStatus();
}

absl::Status TakeTokens(Names& names, int candidates, int shards) {
  for (int c = 0; c < candidates; ++c) {
    for (int s = 0; s < shards; ++s) ABSL_RETURN_IF_ERROR(Take(names, Numbered(TaskFile::kTokens, c, s)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckInputs(const v1::TaskSpec& spec) {
  const Wanted wanted = WantedOf(spec);
  ABSL_ASSIGN_OR_RETURN(Names names, NamesOf(spec));
  for (const std::string& name : wanted.needed) ABSL_RETURN_IF_ERROR(Take(names, name));
  for (const std::string& name : wanted.numbered) ABSL_RETURN_IF_ERROR(TakeNumbered(names, name));
  for (const std::string& name : wanted.maybe) names.erase(name);
  ABSL_RETURN_IF_ERROR(TakeTokens(names, wanted.candidates, wanted.shards));
  for (const std::string& name : names) {
    const bool file_of_model = name.starts_with(kModelFilePrefix) && name != kModelFilePrefix;
    if (file_of_model && wanted.model) continue;
    return TaskSpecInvalidError(kField, name, "what a task of this kind reads, numbered from 0 without gaps");
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
