// Stands for bitwrightd where tests start, interrupt and stop a local service. Its behaviour is set by the word after
// the last '-' of its file name when that is one of: dies, hangs.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

#include "tests/unit/client/fake/fake_service.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string listen;
  std::string data_dir;
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "--listen") listen = arguments[i + 1];
    if (arguments[i] == "--data-dir") data_dir = arguments[i + 1];
  }
  const std::string_view name = argv[0];
  std::ofstream arguments_file(data_dir + "/arguments", std::ios::app);
  for (const std::string& argument : arguments) arguments_file << argument << ' ';
  arguments_file << '\n' << std::flush;
  if (name.ends_with("-dies")) {
    std::cerr << "disk on fire" << std::endl;
    return 1;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  bitwright::client::FakeService service(listen);
  service.plan.job_hangs = name.ends_with("-hangs");
  service.AddArtifactFile("config.json", "{}");
  service.AddArtifactFile("model.safetensors", std::string(5000, 'q'));
  int number = 0;
  sigwait(&signals, &number);
  return 0;
}
