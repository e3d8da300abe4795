#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "client/cli/interrupt.h"
#include "client/cli/run.h"

namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// A folder below one that a variable names, where it does.
std::string Below(const std::string& folder, const char* rest) { return folder.empty() ? "" : folder + rest; }

bitwright::client::Environment ReadEnvironment() {
  std::error_code unknown;
  bitwright::client::Environment environment;
  environment.server = FromEnvironment("BITWRIGHT_SERVER");
  environment.context = FromEnvironment("BITWRIGHT_CONTEXT");
  environment.access = {.token_file = FromEnvironment("BITWRIGHT_TOKEN_FILE"),
                        .tls_ca = FromEnvironment("BITWRIGHT_TLS_CA"),
                        .tls_cert = FromEnvironment("BITWRIGHT_TLS_CERT"),
                        .tls_key = FromEnvironment("BITWRIGHT_TLS_KEY")};
  environment.traceparent = FromEnvironment("TRACEPARENT");
  environment.tracestate = FromEnvironment("TRACESTATE");
  environment.daemon = FromEnvironment("BITWRIGHTD");
  environment.path = FromEnvironment("PATH");
  environment.temp_dir = FromEnvironment("TMPDIR");
  environment.runtime_dir = FromEnvironment("XDG_RUNTIME_DIR");
  environment.config_dir = FromEnvironment("XDG_CONFIG_HOME");
  environment.state_dir = FromEnvironment("XDG_STATE_HOME");
  const std::string home = FromEnvironment("HOME");
  if (environment.config_dir.empty()) environment.config_dir = Below(home, "/.config");
  if (environment.state_dir.empty()) environment.state_dir = Below(home, "/.local/state");
  for (const std::string& cache :
       {FromEnvironment("HF_HUB_CACHE"), Below(FromEnvironment("HF_HOME"), "/hub"),
        Below(FromEnvironment("XDG_CACHE_HOME"), "/huggingface/hub"), Below(home, "/.cache/huggingface/hub")}) {
    if (!cache.empty()) environment.hub_caches.push_back(cache);
  }
  environment.own_dir = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path().string();
  environment.no_color = !FromEnvironment("NO_COLOR").empty();
  environment.err_is_terminal = ::isatty(STDERR_FILENO) == 1 && FromEnvironment("TERM") != "dumb";
  return environment;
}

}  // namespace

int main(int argc, char** argv) {
  const auto cancel = std::make_shared<bitwright::CancelToken>();
  const bitwright::client::Interrupt interrupt(cancel);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return static_cast<int>(
      bitwright::client::RunCommandLine(arguments, ReadEnvironment(), cancel, std::cout, std::cerr));
}
