#include "client/cli/cli_errors.h"

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/report/number_text.h"

namespace bitwright::client {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

// Names from elsewhere may be of any length.
std::string Quoted(std::string_view text) { return absl::StrCat("'", Text(text.substr(0, 200)), "'"); }

}  // namespace

absl::Status OutNotEmptyError(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument, "OUT_NOT_EMPTY",
                   absl::StrCat("'", path,
                                "' exists and is not empty; name another folder, or give --force to replace "
                                "its model/ and reports"),
                   {{"out", path}});
}

absl::Status OutNotAFolderError(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument, "OUT_NOT_A_FOLDER",
                   absl::StrCat("'", path, "' is not a folder; name a folder that is new or empty"), {{"out", path}});
}

absl::Status DaemonNotFoundError(const std::string& looked_at) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "DAEMON_NOT_FOUND",
                   absl::StrCat("bitwrightd was not found (", looked_at,
                                "); set BITWRIGHTD to its path, or name a running service with --server HOST:PORT"));
}

absl::Status DaemonFailedError(std::string_view what, const std::string& last_lines_of_its_log) {
  return MakeError(absl::StatusCode::kInternal, "DAEMON_FAILED",
                   absl::StrCat("the local bitwrightd ", std::string(what),
                                last_lines_of_its_log.empty() ? "" : "; the end of its log:\n", last_lines_of_its_log));
}

absl::Status ModelUnknownError(const std::string& model) {
  return MakeError(absl::StatusCode::kNotFound, "MODEL_NOT_FOUND",
                   absl::StrCat("'", model,
                                "' is neither a folder here nor a model on the server; give a model folder, or "
                                "a name as `bitwright model list` shows it"),
                   {{"model", model}});
}

absl::Status OptionConflictError(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "OPTION_CONFLICT", what);
}

absl::Status ArgumentInvalidError(std::string_view what, std::string_view remedy) {
  return MakeError(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                   absl::StrCat(Text(what), what.ends_with('?') ? " " : "; ", Text(remedy)));
}

absl::Status LabelInvalidError(std::string_view label, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "LABEL_INVALID",
                   absl::StrCat("label ", Quoted(label), " ", Text(why),
                                "; give KEY=VALUE, with a key of at most 63 lower-case letters, digits, '-', '_' and "
                                "'.', and a value of at most 128 bytes"),
                   {{"label", Text(label.substr(0, 200))}});
}

absl::Status OutTooSmallError(const std::string& path, int64_t needed_bytes, int64_t free_bytes) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, Reason::kDiskFull,
      absl::StrCat("the disk of '", path, "' has ", WithThousands(free_bytes), " bytes free, and the result may take ",
                   WithThousands(needed_bytes), "; make room there, or give another folder with -o"),
      {{"file", path}, {"needed_bytes", absl::StrCat(needed_bytes)}, {"free_bytes", absl::StrCat(free_bytes)}});
}

absl::Status DataMissingError(std::string_view use) {
  const std::string remedy =
      use == "calibration"
          ? "give --calibration FILE, a text like those that the model will meet (64,000 tokens are plenty), or "
            "`--calibration sample` for the small one that ships with this program"
          : "give --evaluation FILE, a text that the calibration text does not contain; the report is measured on it";
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_MISSING",
                   absl::StrCat("no ", Text(use), " text is given; ", remedy), {{"option", "--" + Text(use)}});
}

absl::Status QuestionsMissingError(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_TOO_SHORT",
                   absl::StrCat("'", path, "' is empty; give JSON lines of multiple-choice questions"),
                   {{"file", path}});
}

absl::Status TooManyTextsError(std::string_view use, size_t count) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TOO_MANY_TEXTS",
                   absl::StrCat("--", Text(use), " is given ", count, " times; give it at most ", limits::kMaxTexts,
                                " times, or join some texts to one file"),
                   {{"option", "--" + Text(use)}, {"limit", absl::StrCat(limits::kMaxTexts)}});
}

absl::Status DataTooShortError(const std::string& path, int64_t size_bytes, int window) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_TOO_SHORT",
                   absl::StrCat("'", path, "' has ", size_bytes, " bytes, too few for one window of ", window,
                                " tokens; give a longer text or a smaller --window"),
                   {{"file", path}, {"window", absl::StrCat(window)}});
}

absl::Status ArchitectureUnsupportedError(std::string_view architecture, std::string_view supported) {
  return MakeError(absl::StatusCode::kInvalidArgument, "ARCHITECTURE_UNSUPPORTED",
                   absl::StrCat("config.json names the architecture ", Quoted(architecture),
                                ", which the server does not know; it knows ", Text(supported)),
                   {{"architecture", Text(architecture.substr(0, 200))}});
}

absl::Status TargetsInvalidError(const std::string& targets) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "TARGETS_INVALID",
      absl::StrCat("--target ", Quoted(targets), " names a target twice, or none between two commas; name ",
                   "each once, as in compressed-tensors,gguf"),
      {{"targets", Text(targets.substr(0, 200))}});
}

absl::Status TooManyGoalsError(size_t budgets, size_t targets) {
  return MakeError(absl::StatusCode::kInvalidArgument, "GOALS_INVALID",
                   absl::StrCat(budgets, " budgets for ", targets, " targets are ", budgets * targets,
                                " goals, and a job has at most ", limits::kMaxGoals,
                                "; give the command again for the rest: what was computed is reused"),
                   {{"limit", absl::StrCat(limits::kMaxGoals)}});
}

absl::Status GoalUnknownError(int goal, const std::string& job, size_t goals) {
  return MakeError(absl::StatusCode::kInvalidArgument, "GOAL_UNKNOWN",
                   absl::StrCat("--goal ", goal, ": ", job, " has ", goals, goals == 1 ? " goal" : " goals",
                                ", counted from 1; `bitwright job show ", job, "` lists them"),
                   {{"goal", absl::StrCat(goal)}, {"job", job}});
}

absl::Status TargetUnknownError(std::string_view target, std::string_view guess, std::string_view known) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TARGET_UNKNOWN",
                   absl::StrCat("the server knows no target ", Quoted(target), "; it knows ", Text(known), Text(guess)),
                   {{"target", Text(target.substr(0, 200))}});
}

absl::Status RecipeUnknownError(std::string_view recipe, std::string_view guess, std::string_view known) {
  return MakeError(absl::StatusCode::kNotFound, "RECIPE_NOT_FOUND",
                   absl::StrCat("the server has no recipe ", Quoted(recipe), "; it has ", Text(known),
                                ", and takes the path of a .textproto", Text(guess)),
                   {{"recipe", Text(recipe.substr(0, 200))}});
}

absl::Status ContextUnknownError(std::string_view context, std::string_view guess) {
  return MakeError(absl::StatusCode::kNotFound, "CONTEXT_NOT_FOUND",
                   absl::StrCat("there is no context '", std::string(context), "'", std::string(guess),
                                "; `bitwright context list` names all, `bitwright context set` makes one"),
                   {{"context", std::string(context)}});
}

absl::Status ContextsDamagedError(const std::string& path, std::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "CONTEXTS_DAMAGED",
                   absl::StrCat("file '", path, "' does not hold contexts: ", std::string(what),
                                "; mend it, or remove it and name them anew with `bitwright context set`"),
                   {{"file", path}});
}

absl::Status ContextsNowhereError() {
  return MakeError(absl::StatusCode::kFailedPrecondition, "CONTEXTS_NOWHERE",
                   "there is no folder to keep contexts in; set XDG_CONFIG_HOME or HOME");
}

absl::Status WorkerUnknownError(std::string_view worker, std::string_view guess) {
  return MakeError(absl::StatusCode::kNotFound, "WORKER_NOT_FOUND",
                   absl::StrCat("the server knows no worker '", std::string(worker), "'", std::string(guess),
                                "; `bitwright worker list` names all"),
                   {{"worker", std::string(worker)}});
}

absl::Status NameAmbiguousError(std::string_view typed, std::string_view names) {
  return MakeError(absl::StatusCode::kInvalidArgument, "NAME_AMBIGUOUS",
                   absl::StrCat(Quoted(typed), " may be any of ", Text(names), "; give one of these"),
                   {{"name", Text(typed.substr(0, 200))}});
}

absl::Status HubModelMissingError(const std::string& model, std::string_view caches) {
  return MakeError(absl::StatusCode::kNotFound, "MODEL_NOT_FOUND",
                   absl::StrCat(Quoted(model), " is neither a folder here nor in the hub's cache (",
                                caches.empty() ? "none is set" : Text(caches), "); download it with `hf download ",
                                model, "` and give the command again"),
                   {{"model", model}});
}

}  // namespace bitwright::client
