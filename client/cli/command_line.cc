#include "client/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "proto/contract/limits.h"

namespace bitwright::client {
namespace {

void AddModelAndData(CLI::App& app, JobOptions& job, bool data_required) {
  app.add_option("model", job.model, "Model folder, or models/ID on the server")->required();
  app.add_option("--budget", job.budget, "4.25bpw (average bits), or artifact bytes: 12MB, 12MiB, 1.5GB, 12000000B")
      ->required();
  auto* calibration = app.add_option("--calibration", job.calibration,
                                     "Text to calibrate on; *.ids.jsonl: one window of token ids per line");
  auto* evaluation = app.add_option("--evaluation", job.evaluation, "Text to measure on, likewise");
  calibration->required(data_required);
  evaluation->required(data_required);
  app.add_option("--recipe", job.recipe, "Recipe by name, or path of a .textproto file")->capture_default_str();
  app.add_option("--target", job.target, "File format of the artifact")->capture_default_str();
  app.add_option("--window", job.window, "Tokens per window")
      ->capture_default_str()
      ->check(CLI::Range(limits::kMinWindow, 1 << 20));
  const auto tokens = CLI::Range(int64_t{1}, limits::kMaxDataTokens);
  app.add_option("--calibration-tokens", job.calibration_tokens, "Tokens from the start of the text, whole windows")
      ->capture_default_str()
      ->check(tokens);
  app.add_option("--evaluation-tokens", job.evaluation_tokens, "Likewise")->capture_default_str()->check(tokens);
  app.add_flag("--add-special-tokens", job.add_special_tokens, "Apply the tokenizer's post-processor to the text");
  app.add_option("--priority", job.priority, "Higher first")
      ->capture_default_str()
      ->check(CLI::Range(-limits::kMaxPriority, limits::kMaxPriority));
  app.add_option("--name", job.display_name, "Name for people (default: the folder's name)");
}

void AddLocal(CLI::App& app, LocalOptions& local) {
  app.add_flag("--local", local.local, "Start a service for this command only (the default without a server)");
  app.add_option("--threads", local.threads, "Threads of each local worker")->check(CLI::Range(1, 1024));
  app.add_option("--workers", local.workers, "Local workers")->check(CLI::Range(1, 1024));
  app.add_option("--keep-data-dir", local.keep_data_dir,
                 "Data folder of the local service; kept, so that a next job reuses its work");
}

void AddOut(CLI::App& app, Options& options) {
  app.add_option("-o,--out", options.out, "Folder for model/, report.json and report.txt")->required();
  app.add_flag("--force", options.force, "Replace what an earlier run left in OUT");
}

// The tree of commands, bound to one Options.
class Parser {
 public:
  explicit Parser(Options& options) : options_(options) {
    app_.name("bitwright");
    app_.set_version_flag("--version", "bitwright " BITWRIGHT_VERSION);
    app_.footer(kExitCodeHelp);
    options_.job.calibration_tokens = limits::kDefaultCalibrationTokens;
    options_.job.evaluation_tokens = limits::kDefaultEvaluationTokens;
    app_.add_option("--server", options_.server, "HOST:PORT or unix:PATH of the service (env: BITWRIGHT_SERVER)");
    app_.add_flag("--json", options_.json, "Result as JSON on standard output, nothing else there");
    app_.add_flag("-q,--quiet", options_.quiet, "No progress");
    app_.add_flag("--no-color", options_.no_color, "No colours (env: NO_COLOR)");
    AddJobMakers();
    AddModels();
    AddJobs();
    AddOthers();
  }

  CLI::App& app() { return app_; }
  // CLI11's own check would hide which word it did not know.
  bool complete() const { return complete_; }

 private:
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& help, Command command) {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->fallthrough();
    sub->footer(kExitCodeHelp);
    sub->callback([this, command] {
      options_.command = command;
      complete_ = true;
    });
    return sub;
  }
  CLI::App& Group(const std::string& name, const std::string& help) {
    CLI::App* sub = app_.add_subcommand(name, help);
    sub->fallthrough();
    sub->footer(kExitCodeHelp);
    return *sub;
  }
  void AddNamed(CLI::App& parent, const std::string& name, const std::string& help, Command command,
                const std::string& what) {
    Add(parent, name, help, command)->add_option(what, options_.name, "Name or id")->required();
  }
  void AddList(CLI::App& parent, const std::string& help, Command command) {
    Add(parent, "list", help, command)
        ->add_option("--limit", options_.most, "At most this many")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
  }

  void AddJobMakers() {
    CLI::App* quantize = Add(app_, "quantize", "Quantize a model: upload, run, download, report", Command::kQuantize);
    AddModelAndData(*quantize, options_.job, true);
    AddOut(*quantize, options_);
    AddLocal(*quantize, options_.local);
    CLI::App* plan = Add(app_, "plan", "Say what a job would need and could reach; run nothing", Command::kPlan);
    AddModelAndData(*plan, options_.job, false);
    AddLocal(*plan, options_.local);
  }
  void AddModels() {
    CLI::App& model = Group("model", "Models on the server");
    CLI::App* upload =
        Add(model, "upload", "Upload a model folder; continues an interrupted upload", Command::kModelUpload);
    upload->add_option("model", options_.job.model, "Model folder")->required();
    upload->add_option("--name", options_.job.display_name, "Name for people (default: the folder's name)");
    AddList(model, "All models, newest first", Command::kModelList);
    AddNamed(model, "show", "One model", Command::kModelShow, "model");
    AddNamed(model, "delete", "Delete a model", Command::kModelDelete, "model");
  }
  void AddJobs() {
    CLI::App& job = Group("job", "Jobs on the server");
    AddModelAndData(*Add(job, "submit", "Queue a job and return", Command::kJobSubmit), options_.job, true);
    AddList(job, "All jobs, newest first", Command::kJobList);
    job.get_subcommand("list")
        ->add_option("--state", options_.state, "Only jobs in this state")
        ->check(CLI::IsMember({"queued", "running", "succeeded", "failed", "cancelled"}, CLI::ignore_case));
    AddNamed(job, "show", "One job", Command::kJobShow, "job");
    AddNamed(job, "watch", "Follow a job to its end", Command::kJobWatch, "job");
    AddNamed(job, "cancel", "Cancel a job", Command::kJobCancel, "job");
    AddNamed(job, "report", "The report of a finished job", Command::kJobReport, "job");
    AddNamed(job, "delete", "Delete a finished job with its artifact", Command::kJobDelete, "job");
  }
  void AddOthers() {
    CLI::App& artifact = Group("artifact", "What jobs made");
    CLI::App* download = Add(artifact, "download", "Download artifact and report; continues an interrupted download",
                             Command::kArtifactDownload);
    download->add_option("job", options_.name, "Job that made it")->required();
    AddOut(*download, options_);
    CLI::App& recipe = Group("recipe", "Recipes that the server ships");
    AddList(recipe, "All recipes", Command::kRecipeList);
    AddNamed(recipe, "show", "One recipe, as a .textproto that --recipe accepts", Command::kRecipeShow, "recipe");
    CLI::App& worker = Group("worker", "Workers of the server");
    AddList(worker, "All workers of the last minute", Command::kWorkerList);
  }

  Options& options_;
  bool complete_ = false;
  CLI::App app_{"Bitwright: quantization as a service for language models"};
};

}  // namespace

std::variant<Options, ParseEnd> ParseCommandLine(const std::vector<std::string>& arguments) {
  Options options;
  Parser parser(options);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    parser.app().parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = parser.app().exit(error, out, err);
    return ParseEnd{code == 0 ? ExitCode::kOk : ExitCode::kUsage, out.str(), err.str()};
  }
  if (!parser.complete()) {
    return ParseEnd{ExitCode::kUsage, "", "A command is missing.\nRun with --help for more information.\n"};
  }
  return options;
}

}  // namespace bitwright::client
