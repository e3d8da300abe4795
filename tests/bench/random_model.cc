// Writes a model of a given shape with random weights, and ids to calibrate and evaluate on: the same bytes for the
// same seed, on every machine.
//   random_model CONFIG_JSON FOLDER [SEED=1] [WINDOW=2048] [WINDOWS=8]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/random_model.h"
#include "workers/base/files.h"
#include "workers/families/config.h"

namespace bitwright::worker {
namespace {

absl::Status Write(const std::string& config_path, const std::string& dir, uint64_t seed, int64_t window,
                   int64_t windows) {
  const auto config = ReadFile(config_path);
  if (!config.ok()) return config.status();
  const auto parsed = ParseModelConfig(*config);
  if (!parsed.ok()) return parsed.status();
  std::filesystem::create_directories(dir + "/model");
  absl::Status status = WriteRandomModel(*config, dir + "/model", seed);
  for (const auto& [name, own_seed] : {std::pair{"calibration.jsonl", seed + 1}, {"evaluation.jsonl", seed + 2}}) {
    if (status.ok()) status = WriteRandomIds(dir + "/" + name, parsed->vocab, windows, window, own_seed);
  }
  return status;
}

int Run(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto number = [&](int i, int64_t otherwise) { return argc > i ? std::atoll(argv[i]) : otherwise; };
  const absl::Status status =
      Write(argv[1], argv[2], static_cast<uint64_t>(number(3, 1)), number(4, 2048), number(5, 8));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) { return bitwright::worker::Run(argc, argv); }
