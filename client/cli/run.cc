#include "client/cli/run.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "client/cli/command_context.h"
#include "client/cli/command_line.h"
#include "client/cli/completion.h"
#include "client/cli/context_commands.h"
#include "client/cli/contexts.h"
#include "client/cli/doctor.h"
#include "client/cli/job_commands.h"
#include "client/cli/job_making.h"
#include "client/cli/model_commands.h"
#include "client/cli/quantize_command.h"
#include "client/cli/recipe_commands.h"
#include "client/cli/session.h"
#include "client/cli/task_commands.h"
#include "client/cli/tenant_commands.h"
#include "client/cli/token_command.h"
#include "client/cli/version.h"
#include "client/cli/worker_commands.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

using SessionCommand = absl::StatusOr<ExitCode> (*)(const CommandContext&, Client&);

SessionCommand OnSession(Command command) {
  switch (command) {
    case Command::kModelUpload:
      return ModelUpload;
    case Command::kModelList:
      return ModelList;
    case Command::kModelShow:
      return ModelShow;
    case Command::kModelDelete:
      return ModelDelete;
    case Command::kJobList:
      return JobList;
    case Command::kJobShow:
      return JobShow;
    case Command::kJobWatch:
      return JobWatch;
    case Command::kJobCancel:
      return JobCancel;
    case Command::kJobReport:
      return JobReport;
    case Command::kJobRetry:
      return JobRetry;
    case Command::kJobClone:
      return JobClone;
    case Command::kJobDelete:
      return JobDelete;
    case Command::kArtifactDownload:
      return ArtifactDownload;
    case Command::kRecipeList:
      return RecipeList;
    case Command::kRecipeShow:
      return RecipeShow;
    case Command::kJobTasks:
      return JobTasks;
    case Command::kWorkerList:
      return WorkerList;
    case Command::kWorkerCordon:
      return WorkerCordon;
    case Command::kWorkerUncordon:
      return WorkerUncordon;
    case Command::kWorkerDrain:
      return WorkerDrain;
    case Command::kTaskRequeue:
      return TaskRequeue;
    case Command::kCacheShow:
      return CacheShow;
    case Command::kCacheDrop:
      return CacheDrop;
    case Command::kTenantList:
      return TenantList;
    case Command::kTenantShow:
      return TenantShow;
    case Command::kTenantLimit:
      return TenantLimit;
    case Command::kQuantize:
    case Command::kPlan:
    case Command::kJobSubmit:
    case Command::kTokenNew:
    case Command::kDoctor:
    case Command::kContextList:
    case Command::kContextSet:
    case Command::kContextUse:
    case Command::kContextDelete:
    case Command::kComplete:
    case Command::kCompletion:
    case Command::kHelp:
    case Command::kVersion:
      break;
  }
  return nullptr;
}

absl::StatusOr<ExitCode> Dispatch(const CommandContext& context) {
  switch (context.options.command) {
    case Command::kQuantize:
      return Quantize(context);
    case Command::kPlan:
      return Plan(context);
    case Command::kJobSubmit:
      return JobSubmit(context);
    case Command::kTokenNew:
      TokenNew(context);
      return ExitCode::kOk;
    case Command::kDoctor:
      return Doctor(context);
    case Command::kContextList:
      return ContextList(context);
    case Command::kContextSet:
      return ContextSet(context);
    case Command::kContextUse:
      return ContextUse(context);
    case Command::kContextDelete:
      return ContextDelete(context);
    case Command::kComplete:
      context.console.Print(CompletionLines(Complete(context.options.words)));
      return ExitCode::kOk;
    case Command::kCompletion:
      context.console.Print(CompletionScript(context.options.shell));
      return ExitCode::kOk;
    case Command::kVersion:
      context.console.Result(std::string("bitwright ") + kVersion, absl::StrCat("{\"version\": \"", kVersion, "\"}"));
      return ExitCode::kOk;
    default:
      break;
  }
  ABSL_ASSIGN_OR_RETURN(const auto session, Session::Open(context.options, context.environment, context.cancel));
  return OnSession(context.options.command)(context, session->client());
}

// Those that ask no service have no need of a context, and mend what is wrong with them.
bool AsksService(Command command) {
  return OnSession(command) != nullptr || command == Command::kQuantize || command == Command::kPlan ||
         command == Command::kJobSubmit || command == Command::kDoctor;
}

absl::StatusOr<ExitCode> InItsContext(const Options& options, const Environment& environment,
                                      std::shared_ptr<CancelToken> cancel, Console& console,
                                      ProgressReporter& progress) {
  if (!AsksService(options.command)) return Dispatch({options, environment, std::move(cancel), console, progress});
  ABSL_ASSIGN_OR_RETURN(const Environment found, InContext(options, environment));
  return Dispatch({options, found, std::move(cancel), console, progress});
}

}  // namespace

ExitCode RunCommandLine(const std::vector<std::string>& arguments, const Environment& environment,
                        std::shared_ptr<CancelToken> cancel, std::ostream& out, std::ostream& err) {
  const auto parsed = ParseCommandLine(arguments);
  if (const auto* end = std::get_if<ParseEnd>(&parsed)) {
    out << end->out << std::flush;
    if (!end->error.ok()) Console(out, err, {.json = end->json}).Error(end->error);
    return ExitCodeOf(end->error);
  }
  const Options& options = std::get<Options>(parsed);
  const bool color = environment.err_is_terminal && !environment.no_color && !options.no_color;
  Console console(out, err, {options.json, options.quiet, color});
  ProgressReporter progress(console, environment.err_is_terminal, kSystemClock);
  const absl::StatusOr<ExitCode> code = InItsContext(options, environment, std::move(cancel), console, progress);
  progress.Finish();
  if (code.ok()) return *code;
  console.Error(code.status());
  return ExitCodeOf(code.status());
}

}  // namespace bitwright::client
