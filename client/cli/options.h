#pragma once

#include <cstdint>
#include <string>

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
  kJobDelete,
  kArtifactDownload,
  kRecipeList,
  kRecipeShow,
  kWorkerList,
};

// What a job is made of, as typed.
struct JobOptions {
  std::string model;  // a folder or "models/{id}"
  std::string budget;
  std::string calibration;  // files; empty only for plan
  std::string evaluation;
  std::string recipe = "mixed-gptq";  // a name or the path of a .textproto
  std::string target = "compressed-tensors";
  int window = 512;                // tokens
  int64_t calibration_tokens = 0;  // set by the parser to the contract's defaults
  int64_t evaluation_tokens = 0;
  bool add_special_tokens = false;
  int priority = 0;
  std::string display_name;
};

// A service of our own for one command.
struct LocalOptions {
  bool local = false;
  int threads = 0;            // of each worker; 0: the service's default
  int workers = 0;            // 0: the service's default
  std::string keep_data_dir;  // empty: a private one that is removed
};

struct Options {
  Command command = Command::kQuantize;
  std::string server;  // of the command line; empty: not given
  bool json = false;
  bool quiet = false;
  bool no_color = false;
  JobOptions job;
  LocalOptions local;
  std::string out;
  bool force = false;
  std::string name;   // the resource that the command is about
  std::string state;  // job list
  int most = 1000;    // lists
};

// What the process finds around it. Read once, in main.
struct Environment {
  std::string server;       // BITWRIGHT_SERVER
  std::string daemon;       // BITWRIGHTD
  std::string path;         // PATH
  std::string temp_dir;     // TMPDIR
  std::string runtime_dir;  // XDG_RUNTIME_DIR
  std::string own_dir;      // of the executable
  bool no_color = false;    // NO_COLOR is set and not empty
  bool err_is_terminal = false;
};

}  // namespace bitwright::client
