#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// Errors of the command line itself.
namespace bitwright::client {

absl::Status OutNotEmptyError(const std::string& path);                                           // OUT_NOT_EMPTY
absl::Status OutNotAFolderError(const std::string& path);                                         // OUT_NOT_A_FOLDER
absl::Status DaemonNotFoundError(const std::string& looked_at);                                   // DAEMON_NOT_FOUND
absl::Status DaemonFailedError(std::string_view what, const std::string& last_lines_of_its_log);  // DAEMON_FAILED
absl::Status ModelUnknownError(const std::string& model);                                         // MODEL_NOT_FOUND
absl::Status OptionConflictError(std::string_view what);                                          // OPTION_CONFLICT
absl::Status ArgumentInvalidError(std::string_view what, std::string_view remedy);                // ARGUMENT_INVALID
absl::Status LabelInvalidError(std::string_view label, std::string_view why);                     // LABEL_INVALID

// DISK_FULL, before anything runs.
absl::Status OutTooSmallError(const std::string& path, int64_t needed_bytes, int64_t free_bytes);
absl::Status DataMissingError(std::string_view use);                 // DATA_MISSING: "calibration" or "evaluation"
absl::Status QuestionsMissingError(const std::string& path);         // DATA_TOO_SHORT: an empty file
absl::Status TooManyTextsError(std::string_view use, size_t count);  // TOO_MANY_TEXTS, likewise
absl::Status DataTooShortError(const std::string& path, int64_t size_bytes, int window);  // DATA_TOO_SHORT

// What the server cannot do, said before it is asked.
absl::Status ArchitectureUnsupportedError(std::string_view architecture, std::string_view supported);
absl::Status TargetsInvalidError(const std::string& targets);    // TARGETS_INVALID: a name twice, or an empty one
absl::Status TooManyGoalsError(size_t budgets, size_t targets);  // GOALS_INVALID
absl::Status GoalUnknownError(int goal, const std::string& job, size_t goals);  // GOAL_UNKNOWN; from 1
absl::Status TargetUnknownError(std::string_view target, std::string_view guess, std::string_view known);
absl::Status RecipeUnknownError(std::string_view recipe, std::string_view guess, std::string_view known);

absl::Status ContextUnknownError(std::string_view context, std::string_view guess);  // CONTEXT_NOT_FOUND
absl::Status ContextsDamagedError(const std::string& path, std::string_view what);   // CONTEXTS_DAMAGED
absl::Status ContextsNowhereError();                                                 // CONTEXTS_NOWHERE
absl::Status WorkerUnknownError(std::string_view worker, std::string_view guess);    // WORKER_NOT_FOUND

// NAME_AMBIGUOUS: several resources fit what was typed; `names` lists them.
absl::Status NameAmbiguousError(std::string_view typed, std::string_view names);
// MODEL_NOT_FOUND: no folder, nothing on the server, and not in the hub's cache either.
absl::Status HubModelMissingError(const std::string& model, std::string_view caches);

}  // namespace bitwright::client
