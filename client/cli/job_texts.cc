#include "client/cli/job_texts.h"

#include <algorithm>
#include <filesystem>

#include "client/api/client_errors.h"
#include "client/api/display_name.h"
#include "client/cli/cli_errors.h"
#include "client/cli/data_file.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/inputs/data_kind.h"
#include "proto/transfer/local_file.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// A text; `data` keeps what is not about the file.
absl::Status SetData(const JobOptions& options, const DataFile& file, const std::string& kind, int64_t tokens,
                     v1::Data* data) {
  ABSL_RETURN_IF_ERROR(CheckDataFile(file, kind, options.window, data));
  data->set_window(options.window);
  data->set_tokens(tokens);
  data->set_add_special_tokens(options.add_special_tokens);
  return absl::OkStatus();
}

absl::Status CheckTextCount(std::string_view use, size_t count) {
  return count <= size_t{limits::kMaxTexts} ? absl::OkStatus() : TooManyTextsError(use, count);
}

// What each of several texts is to give.
int64_t ShareOf(int64_t tokens, size_t texts) { return tokens / static_cast<int64_t>(std::max<size_t>(texts, 1)); }

// A text to calibrate on, or the one within this program.
absl::Status AddCalibration(const JobOptions& options, const std::string& typed, int64_t tokens, JobDraft& draft) {
  DataFile file{typed, typed, ""};
  std::string kind = options.data_kind;
  if (typed == kSampleWord) {
    if (draft.sample == nullptr) {
      ABSL_ASSIGN_OR_RETURN(draft.sample, MakeSampleText());
    }
    file = {draft.sample->path(), std::string(kSampleWord), std::string(kSampleName)};
    kind = DataKindName(v1::Data::TEXT);
  }
  draft.calibration.push_back(file.path);
  return SetData(options, file, kind, tokens, draft.spec.add_calibration());
}

// Those that are given take the place of all that the draft has of that use.
absl::Status SetTexts(const JobOptions& options, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(CheckTextCount("calibration", options.calibration.size()));
  ABSL_RETURN_IF_ERROR(CheckTextCount("evaluation", options.evaluation.size()));
  if (!options.calibration.empty()) draft.spec.clear_calibration();
  const int64_t tokens = ShareOf(options.calibration_tokens, options.calibration.size());
  for (const std::string& typed : options.calibration) {
    ABSL_RETURN_IF_ERROR(AddCalibration(options, typed, tokens, draft));
  }
  if (!options.evaluation.empty()) draft.spec.clear_evaluation();
  for (const std::string& path : options.evaluation) {
    draft.evaluation.push_back(path);
    ABSL_RETURN_IF_ERROR(
        SetData(options, {path, path, ""}, options.data_kind, options.evaluation_tokens, draft.spec.add_evaluation()));
  }
  return absl::OkStatus();
}

// A file of questions is read where the tokenizer is.
absl::Status AddChoices(const JobOptions& options, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(CheckTextCount("choices", options.choices.size()));
  if (!options.choices.empty()) draft.spec.clear_choices();
  for (const std::string& path : options.choices) {
    ABSL_ASSIGN_OR_RETURN(const LocalFile opened, LocalFile::Open(path, kFileErrors));
    if (opened.size_bytes() == 0) return QuestionsMissingError(path);
    draft.choices.push_back(path);
    draft.spec.add_choices()->set_display_name(FitDisplayName(fs::path(path).filename().string()));
  }
  for (v1::ChoiceFile& file : *draft.spec.mutable_choices()) {
    if (options.questions > 0) file.set_questions(options.questions);
  }
  return absl::OkStatus();
}

void SetSample(const JobOptions& options, v1::JobSpec& spec) {
  spec.clear_sample();
  if (options.sample_tokens == 0) return;
  spec.mutable_sample()->set_prompt(options.sample);
  // The service's default is less where a model has few positions.
  if (options.given.contains("--sample-tokens")) spec.mutable_sample()->set_tokens(options.sample_tokens);
}

// The options with what is not given taken from another job: new texts are used as its texts are.
JobOptions LikeTexts(const v1::JobSpec& other, JobOptions options) {
  const auto given = [&](const char* option) { return options.given.contains(option); };
  if (other.calibration().empty() || other.evaluation().empty()) return options;
  if (!given("--window")) options.window = other.calibration(0).window();
  if (!given("--add-special-tokens")) options.add_special_tokens = other.calibration(0).add_special_tokens();
  if (!given("--evaluation-tokens")) options.evaluation_tokens = other.evaluation(0).tokens();
  if (given("--calibration-tokens")) return options;
  options.calibration_tokens = 0;
  for (const v1::Data& data : other.calibration()) options.calibration_tokens += data.tokens();
  return options;
}

// What is given of how texts are used, of texts that stay.
void ChangeUse(const JobOptions& options, const char* tokens_option, int64_t tokens,
               google::protobuf::RepeatedPtrField<v1::Data>& texts) {
  const auto given = [&](const char* option) { return options.given.contains(option); };
  for (v1::Data& data : texts) {
    if (given("--window")) data.set_window(options.window);
    if (given("--add-special-tokens")) data.set_add_special_tokens(options.add_special_tokens);
    if (given(tokens_option)) data.set_tokens(tokens);
  }
}

}  // namespace

absl::Status TakeTexts(const JobOptions& options, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(SetTexts(options, draft));
  ABSL_RETURN_IF_ERROR(AddChoices(options, draft));
  SetSample(options, draft.spec);
  return absl::OkStatus();
}

absl::Status ChangeTexts(const v1::JobSpec& other, const JobOptions& options, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(SetTexts(LikeTexts(other, options), draft));
  ABSL_RETURN_IF_ERROR(AddChoices(options, draft));
  if (options.given.contains("--sample") || options.given.contains("--sample-tokens")) SetSample(options, draft.spec);
  auto& calibration = *draft.spec.mutable_calibration();
  const int64_t share = ShareOf(options.calibration_tokens, static_cast<size_t>(calibration.size()));
  ChangeUse(options, "--calibration-tokens", share, calibration);
  ChangeUse(options, "--evaluation-tokens", options.evaluation_tokens, *draft.spec.mutable_evaluation());
  return absl::OkStatus();
}

}  // namespace bitwright::client
