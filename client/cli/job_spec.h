#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "client/api/client.h"
#include "client/cli/options.h"

// From what was typed to a JobSpec.
namespace bitwright::client {

// What can be said without a server: budget, recipe file, model folder and data files. Model name and blobs are left
// empty. BUDGET_INVALID, RECIPE_INVALID, MODEL_DIR_INVALID, MODEL_NOT_FOUND, FILE_UNREADABLE.
absl::StatusOr<v1::JobSpec> DraftJobSpec(const JobOptions& options);

// Uploads model (when it is a folder) and data, and fills in their names.
absl::Status CompleteJobSpec(const JobOptions& options, Client& client, const OnTransfer& on_transfer,
                             v1::JobSpec& spec);

// "*.ids.jsonl": token ids; anything else: text.
v1::Data::Kind DataKind(std::string_view path);

// "jobs/x" and "x" to "jobs/x".
std::string FullName(std::string_view collection, const std::string& name);

// Name for people of a model folder: its last part.
std::string FolderName(const std::string& dir);

}  // namespace bitwright::client
