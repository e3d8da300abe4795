#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "client/api/client.h"
#include "client/cli/options.h"
#include "client/cli/sample_text.h"

// From what was typed to the spec of a job, in three steps: what needs no server, what needs digests, what needs the
// server.
namespace bitwright::client {

struct JobDraft {
  v1::JobSpec spec;                      // the model's name and the blobs from the second and third step on
  std::vector<std::string> goals;        // what each goal of `spec` goes by, see goal_choice.h
  std::optional<ModelDir> model;         // MODEL is a folder
  std::string model_name;                // of that folder, for people
  std::optional<v1::Manifest> manifest;  // of that folder, once it is hashed
  std::vector<std::string> calibration;  // paths of its texts in `spec`; empty: those of `spec` are on the server
  std::vector<std::string> evaluation;
  std::vector<std::string> choices;
  std::string hub_caches;                    // where MODEL was looked for, for a message
  std::shared_ptr<const MemoryFile> sample;  // holds the file of `--calibration sample`
};

// Reads folder and texts, as far as it takes to know what they are. The errors of ChooseGoals, RECIPE_INVALID,
// DISPLAY_NAME_INVALID, LABEL_INVALID, DATA_MISSING, TOO_MANY_TEXTS, DATA_TOO_SHORT, TOKENIZER_MISSING,
// FILE_UNREADABLE, MODEL_NOT_FOUND; the errors of ScanModelDir and RecognizeData.
absl::StatusOr<JobDraft> DraftJob(const Options& options, const Environment& environment);

// Model folder and its name alone, for an upload.
absl::Status DraftModel(const Options& options, const Environment& environment, JobDraft& draft);

// The folder that MODEL means: itself, or a snapshot in the hub's cache. Nothing: a model of the server.
// MODEL_NOT_FOUND: it has the form "org/name" and is not in the cache, and `server_may_know` is false.
absl::StatusOr<std::optional<std::string>> FolderOf(const std::string& model, const Environment& environment,
                                                    bool server_may_know);

// Changes what the command line gives, and no other part, of the spec of another job. The draft's `spec` is the new
// one; its goals are those of ChangeGoals.
absl::StatusOr<JobDraft> ChangeJob(const v1::JobSpec& other, const Options& options);

// Digests of model and texts.
absl::Status HashDraft(const CancelToken& cancel, const OnTransfer& on_transfer, JobDraft& draft);

// Uploads the texts and fills in their names.
absl::Status UploadTexts(Client& client, JobDraft& draft);
// Uploads texts and model (where it is a folder, hashed before) and fills in their names. Returns the model.
absl::StatusOr<v1::Model> UploadDraft(const JobOptions& options, Client& client, const OnTransfer& on_transfer,
                                      JobDraft& draft);

// Name for people of a model folder: its last part, fit to be sent.
std::string FolderName(const std::string& dir);

}  // namespace bitwright::client
