#include "client/cli/command_tree.h"

#include <CLI/CLI.hpp>
#include <limits>
#include <set>

#include "client/cli/completion.h"
#include "client/cli/exit_codes.h"
#include "client/cli/version.h"
#include "proto/contract/devices.h"
#include "proto/contract/limits.h"
#include "proto/contract/principals.h"

namespace bitwright::client {
namespace {

void AddMethod(CLI::App& app, JobOptions& job) {
  app.add_option("--recipe", job.recipe, "Recipe by name, or path of a .textproto file")->capture_default_str();
  app.add_option("--target", job.target,
                 "File format of the artifact: compressed-tensors, gguf or gptq; several with commas")
      ->capture_default_str();
  app.add_option("--consumer", job.consumer,
                 "Program that must load the artifact, such as vllm; of several targets those that it loads");
  app.add_option("--device", job.device,
                 "What the model is computed on: cpu, cuda, or any (what is there, graphics processors first)")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>(kJobDevices.begin(), kJobDevices.end())));
  app.add_option("--priority", job.priority, "Higher first")
      ->capture_default_str()
      ->check(CLI::Range(-limits::kMaxPriority, limits::kMaxPriority));
  app.add_option("--name", job.display_name, "Name of the job for people (default: the model's)");
  app.add_option("--label", job.labels, "KEY=VALUE, to find the job by; may be repeated")->allow_extra_args(false);
}

void AddData(CLI::App& app, JobOptions& job) {
  app.add_option("--calibration", job.calibration,
                 "Text to calibrate on, or `sample` for one that ships with this program; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--evaluation", job.evaluation, "Text to measure on; may be repeated")->allow_extra_args(false);
  app.add_option("--data-kind", job.data_kind,
                 "What the files hold, where that is not recognized: text, documents (JSON lines) or ids")
      ->check(CLI::IsMember({"text", "documents", "ids"}));
  app.add_option("--window", job.window, "Tokens per window")
      ->capture_default_str()
      ->check(CLI::Range(limits::kMinWindow, 1 << 20));
  const auto tokens = CLI::Range(int64_t{1}, limits::kMaxDataTokens);
  app.add_option("--calibration-tokens", job.calibration_tokens,
                 "Tokens from the start of the text, whole windows; several texts share them evenly")
      ->capture_default_str()
      ->check(tokens);
  app.add_option("--evaluation-tokens", job.evaluation_tokens, "Likewise, of each text")
      ->capture_default_str()
      ->check(tokens);
  app.add_option("--choices", job.choices,
                 "JSON lines of multiple-choice questions (HellaSwag, ARC, PIQA, WinoGrande, BoolQ); may be repeated")
      ->allow_extra_args(false);
  app.add_option("--questions", job.questions, "How many of each such file, from its start (default: all)")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  app.add_option("--sample", job.sample,
                 "Prompt to continue before and after (default: the beginning of the first evaluation text)");
  app.add_option("--sample-tokens", job.sample_tokens, "Tokens to continue it by; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, limits::kMaxSampleTokens));
  app.add_flag("--add-special-tokens", job.add_special_tokens, "Apply the tokenizer's post-processor to the text");
}

void AddBudget(CLI::App& app, JobOptions& job) {
  app.add_option("--budget", job.budgets,
                 "4.25bpw (average bits), or artifact bytes: 12MB, 12MiB, 1.5GB, 12000000B; several with commas")
      ->allow_extra_args(false);
  app.add_option("--max-kld", job.max_kld,
                 "The smallest artifact of which the KL divergence, measured, is at most this: nats per token, 0.05; "
                 "several with commas")
      ->allow_extra_args(false);
  app.add_option("--max-ppl-rise", job.max_ppl_rise,
                 "The smallest artifact of which the perplexity rises by at most this: 1% or 0.01; several with commas")
      ->allow_extra_args(false);
}

void AddGoal(CLI::App& app, Options& options) {
  app.add_option("--goal", options.goal, "Of a job with several goals this one, counted from 1 (default: all)")
      ->check(CLI::Range(1, limits::kMaxGoals));
}

void AddModelName(CLI::App& app, JobOptions& job) {
  app.add_option("--model-name", job.model_name, "Name of the model for people (default: that of its folder)");
}

void AddModelAndData(CLI::App& app, JobOptions& job) {
  app.add_option("model", job.model,
                 "Model folder, *.gguf file, a model's name on the server, or org/name in the hub's cache")
      ->required();
  AddBudget(app, job);
  AddData(app, job);
  AddMethod(app, job);
  AddModelName(app, job);
}

void AddLocal(CLI::App& app, LocalOptions& local) {
  app.add_flag("--local", local.local, "Start a service for this command only (the default without a server)");
  app.add_option("--threads", local.threads, "Threads of each local worker")->check(CLI::Range(1, 1024));
  app.add_option("--workers", local.workers, "Local workers")->check(CLI::Range(1, 1024));
  app.add_option("--keep-data-dir", local.keep_data_dir,
                 "Data folder of the local service; kept, so that a next job reuses its work");
}

void AddOut(CLI::App& app, Options& options) {
  app.add_option("-o,--out", options.out,
                 "Folder for model/ and report.json, .txt and .html; of several goals for a folder of each")
      ->required();
  app.add_flag("--force", options.force, "Replace what an earlier run left in OUT");
}

}  // namespace

CommandTree::CommandTree(Options& options)
    : options_(options), app_(std::make_unique<CLI::App>("Bitwright: quantization as a service for language models")) {
  app_->name("bitwright");
  app_->set_version_flag("--version", std::string("bitwright ") + kVersion);
  app_->set_help_all_flag("--help-all", "Print the help of every command and exit");
  app_->footer(kExitCodeHelp);
  app_->require_subcommand(0, 1);  // the name of a command may also be that of a folder
  options_.job.calibration_tokens = limits::kDefaultCalibrationTokens;
  options_.job.evaluation_tokens = limits::kDefaultEvaluationTokens;
  options_.job.sample_tokens = limits::kDefaultSampleTokens;
  app_->add_option("--server", options_.server, "HOST:PORT or unix:PATH of the service (env: BITWRIGHT_SERVER)");
  app_->add_option("--context", options_.context,
                   "Name of the service, as `context set` gave it (env: BITWRIGHT_CONTEXT)");
  app_->add_option("--token-file", options_.access.token_file,
                   "File whose first line is the token to show the service (env: BITWRIGHT_TOKEN_FILE)");
  app_->add_option("--tls-ca", options_.access.tls_ca,
                   "PEM file that the service's certificate is checked with, or `system` (env: BITWRIGHT_TLS_CA)");
  app_->add_option("--tls-cert", options_.access.tls_cert,
                   "PEM file of the certificate to show the service (env: BITWRIGHT_TLS_CERT)");
  app_->add_option("--tls-key", options_.access.tls_key, "PEM file of its key (env: BITWRIGHT_TLS_KEY)");
  app_->add_flag("--json", options_.json, "Result as JSON on standard output, nothing else there");
  app_->add_flag("-q,--quiet", options_.quiet, "No progress");
  app_->add_flag("--verbose", options_.verbose, "List what is otherwise only counted");
  app_->add_flag("--no-color", options_.no_color, "No colours (env: NO_COLOR)");
  AddJobMakers();
  AddModels();
  AddJobs();
  AddOperations();
  AddOthers();
}

CommandTree::~CommandTree() = default;

CLI::App& CommandTree::deepest() {
  CLI::App* at = app_.get();
  for (auto named = at->get_subcommands(); !named.empty(); named = at->get_subcommands()) at = named.back();
  return *at;
}

CLI::App* CommandTree::FindCommand(CLI::App& group, const std::string& word) {
  for (CLI::App* sub : group.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->check_name(word)) return sub;
  }
  return nullptr;
}

std::vector<std::string> CommandTree::CommandsOf(CLI::App& app) {
  std::vector<std::string> names;
  for (CLI::App* sub : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> CommandTree::OptionsOf(CLI::App& app) {
  std::vector<std::string> names;
  for (CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

CLI::App* CommandTree::Add(CLI::App& parent, const std::string& name, const std::string& help, Command command) {
  CLI::App* sub = parent.add_subcommand(name, help);
  sub->fallthrough();
  sub->footer(kExitCodeHelp);
  sub->callback([this, command] {
    options_.command = command;
    complete_ = true;
  });
  return sub;
}

CLI::App& CommandTree::Group(const std::string& name, const std::string& help) {
  CLI::App* sub = app_->add_subcommand(name, help);
  sub->fallthrough();
  sub->require_subcommand(0, 1);
  sub->footer(kExitCodeHelp);
  return *sub;
}

void CommandTree::AddNamed(CLI::App& parent, const std::string& name, const std::string& help, Command command,
                           const std::string& what) {
  Add(parent, name, help, command)
      ->add_option(what, options_.name, "Full name, id, its beginning (4 letters or more), or display name")
      ->required();
}

void CommandTree::AddList(CLI::App& parent, const std::string& help, Command command) {
  CLI::App* list = Add(parent, "list", help, command);
  list->alias("ls");
  list->add_option("--limit", options_.most, "At most this many")->capture_default_str()->check(CLI::Range(1, 1000000));
}

void CommandTree::AddJobMakers() {
  CLI::App* quantize = Add(*app_, "quantize", "Quantize a model: upload, run, download, report", Command::kQuantize);
  AddModelAndData(*quantize, options_.job);
  AddOut(*quantize, options_);
  AddLocal(*quantize, options_.local);
  CLI::App* plan = Add(*app_, "plan", "Say what a job would need and could reach; run nothing", Command::kPlan);
  AddModelAndData(*plan, options_.job);
  AddLocal(*plan, options_.local);
}

void CommandTree::AddModels() {
  CLI::App& model = Group("model", "Models on the server");
  CLI::App* upload =
      Add(model, "upload", "Upload a model folder; continues an interrupted upload", Command::kModelUpload);
  upload->add_option("model", options_.job.model, "Model folder, *.gguf file, or org/name in the hub's cache")
      ->required();
  upload->add_option("--name", options_.job.model_name, "Name for people (default: that of the folder)");
  AddList(model, "All models, newest first", Command::kModelList);
  model.get_subcommand("list")->add_option("--filter", options_.filter, "Conditions, such as family = \"llama\"");
  AddNamed(model, "show", "One model", Command::kModelShow, "model");
  AddNamed(model, "delete", "Delete a model", Command::kModelDelete, "model");
  model.get_subcommand("delete")->alias("rm");
}

void CommandTree::AddJobs() {
  CLI::App& job = Group("job", "Jobs on the server");
  AddModelAndData(*Add(job, "submit", "Queue a job and return", Command::kJobSubmit), options_.job);
  AddList(job, "All jobs, newest first", Command::kJobList);
  CLI::App* list = job.get_subcommand("list");
  list->add_option("--state", options_.state, "Only jobs in this state")
      ->check(CLI::IsMember({"queued", "running", "succeeded", "failed", "cancelled"}, CLI::ignore_case));
  list->add_option("--filter", options_.filter, "Conditions, such as state = RUNNING AND labels.team = \"nlp\"");
  list->add_option("--label", options_.job.labels, "KEY=VALUE: only jobs with this label; may be repeated")
      ->allow_extra_args(false);
  list->add_option("--order", options_.order, "newest or oldest first")
      ->capture_default_str()
      ->check(CLI::IsMember({"newest", "oldest"}));
  AddNamed(job, "show", "One job", Command::kJobShow, "job");
  AddNamed(job, "watch", "Follow a job to its end; with --json one object a line for each change", Command::kJobWatch,
           "job");
  AddNamed(job, "cancel", "Cancel a job", Command::kJobCancel, "job");
  AddNamed(job, "report", "The report of a finished job; of several goals all, one after the other",
           Command::kJobReport, "job");
  AddGoal(*job.get_subcommand("report"), options_);
  AddNamed(job, "retry", "Run a failed or cancelled job again", Command::kJobRetry, "job");
  AddNamed(job, "clone", "Queue a job like another one, but for the options given", Command::kJobClone, "job");
  CLI::App* clone = job.get_subcommand("clone");
  AddBudget(*clone, options_.job);
  AddData(*clone, options_.job);
  AddMethod(*clone, options_.job);
  AddNamed(job, "tasks", "The tasks of a job: state, attempts, worker, error", Command::kJobTasks, "job");
  AddNamed(job, "delete", "Delete a finished job with its artifact", Command::kJobDelete, "job");
  job.get_subcommand("delete")->alias("rm");
}

void CommandTree::AddToken() {
  CLI::App& token = Group("token", "Tokens for services that ask who calls");
  CLI::App* make =
      Add(token, "new", "Make a token and the line of the service's tokens file; asks no service", Command::kTokenNew);
  const CLI::Validator name(
      [](const std::string& text) {
        return IsPrincipalName(text) ? std::string() : "'" + text + "' is not 1 to 63 of a-z, 0-9, '.', '_' and '-'";
      },
      "");
  make->add_option("--name", options_.token.name, "Who it is for, as logs say it")->required()->check(name);
  make->add_option("--tenant", options_.token.tenant, "Whose models and jobs it works with")->required()->check(name);
  make->add_option("--role", options_.token.roles, "submitter, operator or worker; several with commas")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(std::set<std::string>(kRoleWords.begin(), kRoleWords.end())));
}

void CommandTree::AddContexts() {
  CLI::App& context = Group("context", "Names for services, so that commands need no --server");
  Add(context, "list", "All contexts; * marks the one that commands go to", Command::kContextList)->alias("ls");
  CLI::App* set = Add(context, "set", "Name the service of --server, with --token-file and --tls-… as they are given",
                      Command::kContextSet);
  CLI::App* use = Add(context, "use", "Let commands go to this service where none is given", Command::kContextUse);
  CLI::App* remove = Add(context, "delete", "Forget a context", Command::kContextDelete);
  remove->alias("rm");
  for (CLI::App* command : {set, use, remove}) {
    command->add_option("name", options_.name, "Name of the context")->required();
  }
}

// What shells ask, or are given.
void CommandTree::AddShell() {
  CLI::App* completion = Add(*app_, "completion", "Print the completion script of a shell", Command::kCompletion);
  completion->add_option("shell", options_.shell, "Whose")
      ->required()
      ->check(CLI::IsMember(std::set<std::string>(std::begin(kShells), std::end(kShells))));
  CLI::App* complete = Add(*app_, "complete", "What may follow; asked by those scripts", Command::kComplete);
  complete->group("");  // no matter of people
  complete->add_option("words", options_.words, "The command line so far, behind --");
}

// Of those who run the service.
void CommandTree::AddOperations() {
  CLI::App& worker = Group("worker", "Workers of the server");
  AddList(worker, "All workers of the last minute, with their state and tasks", Command::kWorkerList);
  const std::string by_name = "Full name, id, or its beginning (4 letters or more)";
  Add(worker, "cordon", "Give a worker nothing new; what it runs goes on", Command::kWorkerCordon)
      ->add_option("worker", options_.name, by_name)
      ->required();
  Add(worker, "uncordon", "Let a cordoned or drained worker work again", Command::kWorkerUncordon)
      ->add_option("worker", options_.name, by_name)
      ->required();
  Add(worker, "drain", "Let a worker finish what it runs, and leave", Command::kWorkerDrain)
      ->add_option("worker", options_.name, by_name)
      ->required();
  CLI::App& task = Group("task", "Tasks of all jobs");
  Add(task, "requeue", "Take a running task from its worker and give it to whichever asks next", Command::kTaskRequeue)
      ->add_option("task", options_.name, "Full name or id, as `worker list` and `job tasks` give it")
      ->required();
  CLI::App& cache = Group("cache", "Kept results of tasks");
  Add(cache, "show", "What is kept for one task", Command::kCacheShow);
  Add(cache, "drop", "Forget one kept result; whatever needs it next runs the task again", Command::kCacheDrop);
  for (const char* name : {"show", "drop"}) {
    CLI::App* command = cache.get_subcommand(name);
    command->add_option("digest", options_.name, "Digest of the task, as `job tasks --json` gives it")->required();
    command->add_option("--tenant", options_.tenant, "Whose cache (default: that of everybody without one)");
  }
  AddTenants();
}

void CommandTree::AddTenants() {
  CLI::App& tenant = Group("tenant", "Those who share models and jobs, with their limits");
  AddList(tenant, "All tenants, what they use and may use", Command::kTenantList);
  Add(tenant, "show", "What a tenant uses and may use", Command::kTenantShow);
  CLI::App* limit =
      Add(tenant, "limit", "Set what a tenant may use; what is not named stays as it is", Command::kTenantLimit);
  for (const char* name : {"show", "limit"}) {
    tenant.get_subcommand(name)->add_option("tenant", options_.name, "Name of the tenant")->required();
  }
  TenantLimitOptions& limits = options_.tenant_limits;
  limit->add_option("--bytes", limits.bytes, "Bytes stored; 0: any number")->check(CLI::NonNegativeNumber);
  limit->add_option("--queued-jobs", limits.queued_jobs, "Jobs that wait; 0: any number")
      ->check(CLI::NonNegativeNumber);
  limit->add_option("--running-jobs", limits.running_jobs, "Jobs that run; 0: any number")
      ->check(CLI::NonNegativeNumber);
  limit->require_option(2, 0);  // the tenant is one
}

void CommandTree::AddOthers() {
  CLI::App& artifact = Group("artifact", "What jobs made");
  CLI::App* download = Add(artifact, "download", "Download artifact and report; continues an interrupted download",
                           Command::kArtifactDownload);
  download->add_option("job", options_.name, "Job that made it")->required();
  AddGoal(*download, options_);
  AddOut(*download, options_);
  CLI::App& recipe = Group("recipe", "Recipes that the server ships");
  AddList(recipe, "All recipes", Command::kRecipeList);
  AddNamed(recipe, "show", "One recipe, as a .textproto that --recipe accepts", Command::kRecipeShow, "recipe");
  CLI::App* doctor = Add(*app_, "doctor", "Say whether the service is fit for jobs, and what one of a model would cost",
                         Command::kDoctor);
  doctor->add_option("model", options_.name, "A model on the server");
  doctor->add_option("--recipe", options_.job.recipe, "Recipe of that job, by name")->capture_default_str();
  AddToken();
  AddContexts();
  AddShell();
  CLI::App* help = Add(*app_, "help", "Help on a command", Command::kHelp);
  help->add_option("command", options_.words, "The command");
  Add(*app_, "version", "Print the version", Command::kVersion);
}

}  // namespace bitwright::client
