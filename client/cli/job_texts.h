#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/jobs.pb.h"
#include "client/cli/job_draft.h"
#include "client/cli/options.h"

// What a job calibrates on and measures on: texts, questions and a sample. For job_draft.cc.
namespace bitwright::client {

// Reads the files as far as it takes to know what they are. TOO_MANY_TEXTS, DATA_TOO_SHORT, FILE_UNREADABLE; the errors
// of CheckDataFile.
absl::Status TakeTexts(const JobOptions& options, JobDraft& draft);

// The same for a draft that begins as the spec of another job: what is not given stays as that job has it, and new
// texts are used as its texts are.
absl::Status ChangeTexts(const v1::JobSpec& other, const JobOptions& options, JobDraft& draft);

}  // namespace bitwright::client
