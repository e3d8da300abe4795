#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/transfer/access.h"

namespace bitwright::client {

enum class Command {
  kQuantize,
  kPlan,
  kModelUpload,
  kModelList,
  kModelShow,
  kModelDelete,
  kJobSubmit,
  kJobList,
  kJobShow,
  kJobWatch,
  kJobCancel,
  kJobReport,
  kJobRetry,
  kJobClone,
  kJobDelete,
  kJobTasks,
  kArtifactDownload,
  kRecipeList,
  kRecipeShow,
  kWorkerList,
  kWorkerCordon,
  kWorkerUncordon,
  kWorkerDrain,
  kTaskRequeue,
  kCacheShow,
  kCacheDrop,
  kTenantList,
  kTenantShow,
  kTenantLimit,
  kTokenNew,
  kDoctor,
  kContextList,
  kContextSet,
  kContextUse,
  kContextDelete,
  kComplete,
  kCompletion,
  kHelp,
  kVersion,
};

// What a job is made of, as typed.
struct JobOptions {
  std::string model;  // a folder, a name on the server, or "org/name" of the hub
  // Lists with commas between; of these three one must be given but for plan and clone.
  std::vector<std::string> budgets;
  std::vector<std::string> max_kld;       // nats per token
  std::vector<std::string> max_ppl_rise;  // "1%" or "0.01"
  std::vector<std::string> calibration;   // files; empty only for plan and clone
  std::vector<std::string> evaluation;
  std::string data_kind;              // of all files: "text", "documents", "ids"; empty: recognized
  std::string recipe = "mixed-gptq";  // a name or the path of a .textproto
  std::string target = "compressed-tensors";
  std::string consumer;
  int window = 512;  // tokens
  // Set by the parser to the contract's defaults.
  int64_t calibration_tokens = 0;  // of all texts together
  int64_t evaluation_tokens = 0;   // of each
  bool add_special_tokens = false;
  std::vector<std::string> choices;  // files of multiple-choice questions
  int questions = 0;                 // of each of them, from its start; 0: all
  std::string sample;                // prompt; empty: the beginning of the evaluation text
  int sample_tokens = 0;             // set by the parser to the contract's default; 0: no sample
  std::string device = "any";        // that numeric tasks run on
  int priority = 0;
  std::string display_name;         // of the job
  std::string model_name;           // display name of the model
  std::vector<std::string> labels;  // "key=value"
  std::set<std::string> given;      // the long options that stand on the command line, "--budget"
};

// A service of our own for one command.
struct LocalOptions {
  bool local = false;
  int threads = 0;            // of each worker; 0: the service's default
  int workers = 0;            // 0: the service's default
  std::string device;         // that the job asks for; empty: what the machine has
  std::string keep_data_dir;  // empty: a private one that is removed
};

// Limits to set; those that are not given stay. 0: none.
struct TenantLimitOptions {
  std::optional<int64_t> bytes;
  std::optional<int64_t> queued_jobs;
  std::optional<int64_t> running_jobs;
};

// What a new token is for.
struct TokenOptions {
  std::string name;
  std::string tenant;
  std::vector<std::string> roles;
};

struct Options {
  Command command = Command::kQuantize;
  std::string server;   // of the command line; empty: not given
  std::string context;  // likewise
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
  JobOptions job;
  LocalOptions local;
  TokenOptions token;
  TenantLimitOptions tenant_limits;
  Access access;  // of the command line
  std::string out;
  bool force = false;
  int goal = 0;                    // job report, artifact download: of a job with several, counted from 1; 0: all
  std::string name;                // the resource that the command is about
  std::string tenant;              // cache; empty: the default one
  std::string state;               // job list
  std::string filter;              // lists
  std::string order = "newest";    // job list
  int most = 1000;                 // lists
  std::string shell;               // completion
  std::vector<std::string> words;  // help: the command it is about; complete: the unfinished command line
  std::string help_text;           // help: what to print
};

// What the process finds around it. Read once, in main.
struct Environment {
  std::string server;       // BITWRIGHT_SERVER
  std::string context;      // BITWRIGHT_CONTEXT
  Access access;            // BITWRIGHT_TOKEN_FILE, BITWRIGHT_TLS_CA, BITWRIGHT_TLS_CERT, BITWRIGHT_TLS_KEY
  std::string traceparent;  // TRACEPARENT
  std::string tracestate;   // TRACESTATE
  std::string daemon;       // BITWRIGHTD
  std::string path;         // PATH
  std::string temp_dir;     // TMPDIR
  std::string runtime_dir;  // XDG_RUNTIME_DIR
  std::string own_dir;      // of the executable
  std::string config_dir;   // XDG_CONFIG_HOME, otherwise ~/.config; empty: there is neither
  std::string state_dir;    // XDG_STATE_HOME, otherwise ~/.local/state; empty: there is neither
  // Where transformers and its tools keep downloads: HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub,
  // ~/.cache/huggingface/hub, as far as set.
  std::vector<std::string> hub_caches;
  bool no_color = false;  // NO_COLOR is set and not empty
  bool err_is_terminal = false;
};

}  // namespace bitwright::client
